"""Made-up people, Russian and English, the same for the same seed on every machine.

Everything here is invented: e-mail addresses are under names reserved for examples (RFC 2606), IP addresses are from
the documentation networks (RFC 5737, RFC 3849), and every telephone number's local part begins with 000 or 555-01.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from . import names


@dataclass(frozen=True, slots=True)
class Person:
    surname: str
    name: str
    patronymic: str | None
    country: str
    city: str
    postal_code: str
    address: str
    phone: str
    language: str  # ru or en

    @property
    def full_name(self) -> str:
        parts = (self.surname, self.name, self.patronymic) if self.language == "ru" else (self.name, self.surname)
        return " ".join(part for part in parts if part)

    def mailbox(self, number: int) -> str:
        """A mail address like people choose; `number` keeps it apart from everybody else's."""
        domain = names.MAIL_DOMAINS[number % len(names.MAIL_DOMAINS)]
        return f"{latin(self.name)}.{latin(self.surname)}{number or ''}@{domain}"


# The first two customers are the same under every seed, so that examples can name them.
ANNA = Person(
    surname="Смирнова",
    name="Анна",
    patronymic="Игоревна",
    country="Россия",
    city="Казань",
    postal_code="420012",
    address="ул. Лесная, д. 12, кв. 45",
    phone="+7 900 000-17-42",
    language="ru",
)
JAMES = Person(
    surname="Turner",
    name="James",
    patronymic=None,
    country="United Kingdom",
    city="Leeds",
    postal_code="LS6 2AB",
    address="14 Mill Lane",
    phone="+44 113 555-0142",
    language="en",
)


def person(rng: Random) -> Person:
    return _russian(rng) if rng.random() < 0.6 else _english(rng)


def _russian(rng: Random) -> Person:
    woman = rng.random() < 0.5
    surname = rng.choice(names.RUSSIAN_SURNAMES)
    city, prefix = rng.choice(names.RUSSIAN_CITIES)
    street, house, flat = rng.choice(names.RUSSIAN_STREETS), rng.randint(1, 120), rng.randint(1, 240)
    return Person(
        surname=f"{surname}а" if woman else surname,
        name=rng.choice(names.RUSSIAN_WOMEN if woman else names.RUSSIAN_MEN),
        patronymic=_patronymic(rng.choice(names.RUSSIAN_FATHERS), woman),
        country="Россия",
        city=city,
        postal_code=f"{prefix}{rng.randint(0, 999):03}",
        address=f"ул. {street}, д. {house}, кв. {flat}",
        phone=f"+7 9{rng.randint(0, 99):02} 000-{rng.randint(0, 99):02}-{rng.randint(0, 99):02}",
        language="ru",
    )


def _patronymic(father: str, woman: bool) -> str:
    if father in names.RUSSIAN_FATHER_STEMS:
        stem = names.RUSSIAN_FATHER_STEMS[father]
        return f"{stem}вна" if woman else f"{stem}вич"
    stem = names.RUSSIAN_FATHER_BASES.get(father, father)
    return f"{stem}овна" if woman else f"{stem}ович"


def _english(rng: Random) -> Person:
    city, country, shape = rng.choice(names.ENGLISH_CITIES)
    region = f"+44 1{rng.randint(13, 99)}" if country == "United Kingdom" else f"+1 {rng.randint(201, 989)}"
    return Person(
        surname=rng.choice(names.ENGLISH_SURNAMES),
        name=rng.choice(names.ENGLISH_WOMEN if rng.random() < 0.5 else names.ENGLISH_MEN),
        patronymic=None,
        country=country,
        city=city,
        postal_code=_postal_code(rng, shape),
        address=f"{rng.randint(1, 180)} {rng.choice(names.ENGLISH_STREETS)}",
        phone=f"{region} 555-01{rng.randint(0, 99):02}",
        language="en",
    )


def _postal_code(rng: Random, shape: str) -> str:
    """The letters before the digits are the city's own; 9 is any digit, a trailing AA any letters."""
    kept = shape.removesuffix("AA")
    made = "".join(str(rng.randint(0, 9)) if c == "9" and i > 0 else c for i, c in enumerate(kept))
    return made + "".join(rng.choice("ABDEFGHJLNPQRSTUWXYZ") for _ in range(len(shape) - len(kept)))


def latin(text: str) -> str:
    """Lower-case ASCII, as a mailbox or a login wants it."""
    return "".join(names.LATIN.get(c, c) for c in text.lower() if c.isalpha())


def ip_address(rng: Random) -> str:
    if rng.random() < 0.2:
        return f"2001:db8:{rng.randint(1, 0xFFFF):x}::{rng.randint(1, 0xFFFF):x}"
    return f"{rng.choice(('192.0.2', '198.51.100', '203.0.113'))}.{rng.randint(1, 254)}"
