"""Values of the types that a sealed field may have, between PostgreSQL's text form, its binary form and cell form."""

from .codecs import Codec, accepts_source, codec_for
from .settings import DEFAULT_SETTINGS, ValueSettings

__all__ = ["DEFAULT_SETTINGS", "Codec", "ValueSettings", "accepts_source", "codec_for"]
