# Fieldgate's image: the pinned dependencies and the package in one virtual environment, nothing else.
#
#     docker build -t fieldgate .
#     docker run -v ./fieldgate:/etc/fieldgate:ro -v fieldgate-data:/var/lib/fieldgate -p 6543:6543 fieldgate
ARG PYTHON_VERSION=3.11

FROM python:${PYTHON_VERSION}-slim AS build
ENV PIP_NO_CACHE_DIR=1
WORKDIR /src
COPY . .
RUN sh deploy/install.sh /opt/fieldgate

FROM python:${PYTHON_VERSION}-slim
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin fieldgate \
    && install -d -o fieldgate -g fieldgate -m 0700 /var/lib/fieldgate \
    && install -d -m 0755 /etc/fieldgate
COPY --from=build /opt/fieldgate /opt/fieldgate
ENV PATH=/opt/fieldgate/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    FIELDGATE_CONFIG=/etc/fieldgate/fieldgate.toml \
    FIELDGATE_HEALTH=http://127.0.0.1:8443/healthz
USER 10001
WORKDIR /var/lib/fieldgate
EXPOSE 6543 8443
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=10s --retries=3 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen(os.environ['FIELDGATE_HEALTH'], timeout=2)"]
ENTRYPOINT ["fieldgate"]
CMD ["serve"]
