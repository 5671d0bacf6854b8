"""SQLAlchemy's ORM and its reflection: the application's models are written against the logical schema."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import BigInteger, Engine, ForeignKey, create_engine, func, inspect, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, relationship

from .canaries import Canaries
from .stage import Stage

pytestmark = pytest.mark.integration


class Base(DeclarativeBase):
    pass


class Customer(Base):
    __tablename__ = "customers"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    surname: Mapped[str]
    name: Mapped[str]
    patronymic: Mapped[str | None]
    email: Mapped[str] = mapped_column(unique=True)
    phone: Mapped[str]
    country: Mapped[str]
    city: Mapped[str]
    postal_code: Mapped[str]
    address: Mapped[str]
    status: Mapped[str] = mapped_column(server_default="active")
    preferences: Mapped[dict[str, Any] | None] = mapped_column(postgresql.JSONB)
    orders: Mapped[list[Order]] = relationship(back_populates="customer", order_by="Order.id")


class Order(Base):
    __tablename__ = "orders"
    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customers.id"))
    placed_at: Mapped[datetime.datetime] = mapped_column(server_default=func.now())
    total: Mapped[Decimal]
    recipient_name: Mapped[str]
    recipient_phone: Mapped[str]
    delivery_address: Mapped[str]
    submit_ip: Mapped[Any] = mapped_column(postgresql.INET)
    customer: Mapped[Customer] = relationship(back_populates="orders")


@pytest.fixture
def engine(stage: Stage) -> Iterator[Engine]:
    made = create_engine(
        f"postgresql+psycopg://management:demo@localhost:{stage.port}/shop",
        connect_args={"sslmode": "verify-full", "sslrootcert": str(stage.folder.ca)},
    )
    yield made
    made.dispose()


def new_customer(canaries: Canaries) -> Customer:
    return Customer(
        surname=canaries.text(),
        name=canaries.text(),
        email=canaries.mail(),
        phone=canaries.text(),
        country="Россия",
        city="Томск",
        postal_code=canaries.text(),
        address=canaries.text(),
        preferences={"note": canaries.text(), "sizes": [1, 2]},
    )


def new_order(canaries: Canaries, total: str) -> Order:
    who, phone, where = (canaries.text() for _ in range(3))
    return Order(
        total=Decimal(total), recipient_name=who, recipient_phone=phone, delivery_address=where,
        submit_ip=canaries.address(),
    )  # fmt: skip


def test_objects_go_in_and_come_out(engine: Engine, canaries: Canaries) -> None:
    with Session(engine) as session:
        customer = new_customer(canaries)
        customer.orders = [new_order(canaries, "10.00"), new_order(canaries, "20.50")]
        session.add(customer)
        session.commit()
        mail, surname, preferences = customer.email, customer.surname, customer.preferences
        address = str(customer.orders[0].submit_ip)
    with Session(engine) as session:
        found = session.scalars(select(Customer).where(Customer.email == mail)).one()
        assert (found.surname, found.preferences) == (surname, preferences)
        assert [order.total for order in found.orders] == [Decimal("10.00"), Decimal("20.50")]
        by_address = select(Order).where(Order.submit_ip == address).options()
        assert session.scalars(by_address).one().customer_id == found.id


def test_a_change_is_flushed_and_a_rollback_forgets_it(engine: Engine, canaries: Canaries) -> None:
    with Session(engine) as session:
        customer = new_customer(canaries)
        session.add(customer)
        session.commit()
        before, number = customer.phone, customer.id
        customer.phone = canaries.text()
        session.flush()
        assert session.scalar(select(Customer.phone).where(Customer.id == number)) == customer.phone
        session.rollback()
        assert session.scalar(select(Customer.phone).where(Customer.id == number)) == before


def test_many_at_once_come_back_in_order(engine: Engine, canaries: Canaries) -> None:
    """insertmanyvalues: one INSERT of many rows, whose generated keys must be matched to the right objects."""
    with Session(engine) as session:
        customers = [new_customer(canaries) for _ in range(25)]
        session.add_all(customers)
        session.commit()
        wanted = {customer.id: customer.email for customer in customers}
    with Session(engine) as session:
        rows = session.execute(select(Customer.id, Customer.email).where(Customer.id.in_(wanted))).all()
        assert dict(tuple(row) for row in rows) == wanted


def test_joins_and_subqueries(engine: Engine, canaries: Canaries) -> None:
    with Session(engine) as session:
        customer = new_customer(canaries)
        customer.orders = [new_order(canaries, "5.00")]
        session.add(customer)
        session.commit()
        mails = [customer.email, canaries.mail()]
        joined = select(Customer.name, Order.recipient_name).join(Order.customer).where(Customer.email.in_(mails))
        assert session.execute(joined).all() == [(customer.name, customer.orders[0].recipient_name)]
        nested = select(func.sum(Order.total)).where(
            Order.customer_id.in_(select(Customer.id).where(Customer.email == customer.email))
        )
        assert session.scalar(nested) == Decimal("5.00")


def test_reflection_sees_the_logical_schema(engine: Engine) -> None:
    inspector = inspect(engine)
    assert {"customers", "orders", "payments"} <= set(inspector.get_table_names())
    columns = {column["name"]: column for column in inspector.get_columns("customers")}
    assert list(columns)[:3] == ["id", "surname", "name"]
    assert str(columns["email"]["type"]) == "TEXT"
    assert isinstance(columns["preferences"]["type"], postgresql.JSONB)
    assert not columns["email"]["nullable"]
    assert not [name for name in columns if name.startswith("fg_")]
    assert inspector.get_pk_constraint("customers")["constrained_columns"] == ["id"]
    assert inspector.get_foreign_keys("orders")[0]["referred_table"] == "customers"
    salary = next(c for c in inspector.get_columns("employees") if c["name"] == "salary")
    assert str(salary["type"]) == "NUMERIC(12, 2)"
