"""POST /v1/orders with FastAPI and SQLModel: the same request, checks, tables and response as the order service's.

It is used by the benchmark only.
"""

import hashlib
import json
import os
import secrets
import uuid
from datetime import datetime, timezone
from pathlib import Path
from typing import Annotated

import jwt
import orjson
from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import Response
from pydantic import BaseModel, Field as Checked
from sqlalchemy import ARRAY, BigInteger, Column, DateTime, Integer, LargeBinary, Text, Uuid, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlmodel import Field, SQLModel, select
from sqlmodel.ext.asyncio.session import AsyncSession

ENGINE = create_async_engine(
    os.environ["PEER_DATABASE_URL"].replace("postgres://", "postgresql+asyncpg://"),
    pool_size=int(os.environ["PEER_POOL"]),
    max_overflow=0,
)
KEYS = {
    key["kid"]: jwt.PyJWK(key) for key in json.loads(Path(os.environ["TOKEN_KEYS"]).read_text())["keys"]
}
AUDIENCE, ISSUER = os.environ["TOKEN_AUDIENCE"], os.environ["TOKEN_ISSUER"]
# A placeholder of the same length as order's event. No consumer reads it.
EVENT = b"\x0a" * 300
PLACED = "We've received your order and are checking stock."


class Money(BaseModel):
    amount: str = Checked(pattern=r"^\d{1,12}\.\d{2}$")
    currencyCode: str = Checked(pattern=r"^[A-Z]{3}$")

    def minor(self):
        return int(self.amount.replace(".", ""))


class RequestedLine(BaseModel):
    productId: uuid.UUID
    quantity: int = Checked(ge=1, le=10_000)


class Address(BaseModel):
    recipient: str = Checked(min_length=1, max_length=100)
    lines: list[str] = Checked(min_length=1, max_length=4)
    city: str = Checked(min_length=1, max_length=100)
    postalCode: str = ""
    countryCode: str = Checked(pattern=r"^[A-Z]{2}$")


class Contact(BaseModel):
    email: str = Checked(min_length=3, max_length=254)
    phone: str = ""
    locale: str = ""


class PlaceOrder(BaseModel):
    lines: list[RequestedLine] = Checked(min_length=1, max_length=100)
    total: Money
    shippingAddress: Address
    contact: Contact
    paymentMethod: str = ""


class CatalogProduct(SQLModel, table=True):
    __tablename__ = "catalog_product"
    product_id: uuid.UUID = Field(sa_column=Column(Uuid, primary_key=True))
    name: str
    on_sale: bool
    currencies: list[str] = Field(sa_column=Column(ARRAY(Text)))
    minors: list[int] = Field(sa_column=Column(ARRAY(BigInteger)))


class Order(SQLModel, table=True):
    __tablename__ = "orders"
    order_id: uuid.UUID = Field(sa_column=Column(Uuid, primary_key=True))
    version: int = Field(sa_column=Column(BigInteger))
    customer_id: str
    status: str
    currency: str
    total_minor: int = Field(sa_column=Column(BigInteger))
    line_products: list[uuid.UUID] = Field(sa_column=Column(ARRAY(Uuid)))
    line_names: list[str] = Field(sa_column=Column(ARRAY(Text)))
    line_quantities: list[int] = Field(sa_column=Column(ARRAY(Integer)))
    line_prices: list[int] = Field(sa_column=Column(ARRAY(BigInteger)))
    recipient: str
    address_lines: list[str] = Field(sa_column=Column(ARRAY(Text)))
    city: str
    postal_code: str
    country_code: str
    email: str
    phone: str
    locale: str
    payment_method: str
    reservation_round: int
    created_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    updated_at: datetime = Field(sa_column=Column(DateTime(timezone=True)))


class TimelineEntry(SQLModel, table=True):
    __tablename__ = "order_timeline"
    position: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    order_id: uuid.UUID = Field(sa_column=Column(Uuid))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    text: str
    status: str
    event_id: uuid.UUID = Field(sa_column=Column(Uuid))
    trace_id: str


class Outbox(SQLModel, table=True):
    __tablename__ = "outbox"
    position: int | None = Field(default=None, sa_column=Column(BigInteger, primary_key=True))
    id: uuid.UUID = Field(sa_column=Column(Uuid))
    at: datetime = Field(sa_column=Column(DateTime(timezone=True)))
    topic: str
    key: str
    event_type: str
    version: int = Field(sa_column=Column(BigInteger))
    traceparent: str
    payload: bytes = Field(sa_column=Column(LargeBinary))


class Receipt(SQLModel, table=True):
    __tablename__ = "receipt"
    scope: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    fingerprint: bytes = Field(sa_column=Column(LargeBinary))
    subject: str


app = FastAPI()


async def customer(authorization: Annotated[str, Header()]):
    """Verifies the token and returns the customer's id."""
    token = authorization.removeprefix("Bearer ")
    try:
        key = KEYS[jwt.get_unverified_header(token)["kid"]]
        claims = jwt.decode(
            token, key, algorithms=["EdDSA"], audience=AUDIENCE, issuer=ISSUER
        )
    except (jwt.InvalidTokenError, KeyError) as error:
        raise HTTPException(401, "invalid token") from error
    if claims.get("role") != "customer":
        raise HTTPException(403, "for customers")
    return claims["sub"]


async def session():
    async with AsyncSession(ENGINE, expire_on_commit=False) as opened:
        yield opened


def to_json(order: Order):
    """Returns the order in the format of order's API."""
    def money(minor):
        return {"amount": f"{minor // 100}.{minor % 100:02}", "currencyCode": order.currency}

    lines = zip(order.line_products, order.line_names, order.line_quantities, order.line_prices)
    return {
        "orderId": str(order.order_id),
        "customerId": order.customer_id,
        "status": "ORDER_STATUS_PLACED",
        "lines": [
            {"productId": str(product), "name": name, "quantity": quantity, "unitPrice": money(price),
             "total": money(price * quantity)}
            for product, name, quantity, price in lines
        ],
        "total": money(order.total_minor),
        "shippingAddress": {
            "recipient": order.recipient, "lines": order.address_lines, "city": order.city,
            "postalCode": order.postal_code, "countryCode": order.country_code,
        },
        "contact": {"email": order.email, "phone": order.phone, "locale": order.locale},
        "createTime": order.created_at.isoformat(),
        "updateTime": order.updated_at.isoformat(),
        "etag": "1",
    }


@app.post("/v1/orders")
async def place(
    request: PlaceOrder,
    customer_id: Annotated[str, Depends(customer)],
    idempotency_key: Annotated[str, Header()],
    database: Annotated[AsyncSession, Depends(session)],
):
    product_ids = [line.productId for line in request.lines]
    found = await database.exec(select(CatalogProduct).where(CatalogProduct.product_id.in_(product_ids)))
    products = {product.product_id: product for product in found}
    code, names, prices = request.total.currencyCode, [], []
    for line in request.lines:
        product = products.get(line.productId)
        if product is None or not product.on_sale or code not in product.currencies:
            raise HTTPException(409, "a product is not on sale")
        names.append(product.name)
        prices.append(product.minors[product.currencies.index(code)])
    total = sum(price * line.quantity for price, line in zip(prices, request.lines))
    if total != request.total.minor():
        raise HTTPException(409, "the total has changed")

    order_id, event_id, now = uuid.uuid4(), uuid.uuid4(), datetime.now(timezone.utc)
    trace = secrets.token_hex(16)
    address, contact = request.shippingAddress, request.contact
    order = Order(
        order_id=order_id, version=1, customer_id=customer_id, status="placed", currency=code, total_minor=total,
        line_products=product_ids, line_names=names, line_quantities=[line.quantity for line in request.lines],
        line_prices=prices, recipient=address.recipient, address_lines=address.lines, city=address.city,
        postal_code=address.postalCode, country_code=address.countryCode, email=contact.email, phone=contact.phone,
        locale=contact.locale, payment_method=request.paymentMethod, reservation_round=0, created_at=now, updated_at=now,
    )
    response = {"order": to_json(order)}
    fingerprint = hashlib.sha256(request.model_dump_json().encode()).digest()
    database.add(Receipt(scope=f"PlaceOrder of {customer_id}", key=idempotency_key, fingerprint=fingerprint, subject=str(order_id)))
    database.add(order)
    database.add(Outbox(
        id=event_id, at=now, topic="mart.order.v1", key=str(order_id), event_type="mart.order.v1.OrderPlaced", version=1,
        traceparent=f"00-{trace}-{secrets.token_hex(8)}-01", payload=EVENT,
    ))
    try:
        # Inserts the order before the timeline entry, which refers to it.
        await database.flush()
        database.add(TimelineEntry(order_id=order_id, at=now, text=PLACED, status="placed", event_id=event_id, trace_id=trace))
        await database.commit()
    except IntegrityError as error:
        raise HTTPException(409, "the Idempotency-Key was used before") from error
    return Response(orjson.dumps(response), 201, media_type="application/json")


@app.get("/readyz")
async def ready():
    async with ENGINE.connect() as connection:
        await connection.execute(text("select 1"))
    return {}
