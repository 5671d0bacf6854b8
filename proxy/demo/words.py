"""What happens in the made-up shop, in words.  Tables only; `generate.py` uses them."""

from __future__ import annotations

ORDER_STATUSES = ("new", "paid", "packed", "shipped", "delivered", "delivered", "delivered", "returned")
PAYMENT_SYSTEMS = ("card", "bank", "wallet")
TECH_NOTES = (
    "checkout took two attempts",
    "submitted from the mobile site",
    "address suggested by the form",
    "session resumed after a timeout",
    "duplicate click suppressed",
)
USER_AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/138.0",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X) Safari/18.5",
    "ShopApp/4.2 (Android 15)",
    "ShopApp/4.2 (iOS 18)",
)
BROWSERS = ("Firefox", "Chrome", "Safari", "Edge")
PAGES = ("/", "/catalogue", "/catalogue/coats", "/catalogue/shoes", "/basket", "/checkout", "/delivery", "/contacts")
REFERRERS = ("https://search.example/", "https://news.example/", "https://friends.example/", None)
REFUND_REASONS = ("wrong size", "arrived damaged", "not as described", "changed my mind", "delivered twice")
POSITIONS = ("manager", "support engineer", "accountant", "courier", "warehouse worker", "developer", "designer")
HEALTH_NOTES = (
    "Annual check-up passed.",
    "Sick leave of five days, recovered.",
    "May not lift more than ten kilograms.",
    "Needs a screen reader at the workplace.",
    "Ежегодный медосмотр пройден.",
    "Больничный лист, семь дней.",
)
LETTERS = {
    "ru": (
        ("Где мой заказ?", "Здравствуйте, это {name}. Заказ {order} ещё не пришёл, подскажите, где он."),
        ("Другой адрес", "Добрый день, {name}. Можно ли доставить заказ {order} по другому адресу?"),
        ("Спасибо", "Заказ {order} получен, всё подошло. Спасибо! {name}"),
        (None, "{name}: перезвоните мне, пожалуйста, по заказу {order}."),
    ),
    "en": (
        (
            "Where is my order?",
            "Hello, this is {name}. Order {order} has not arrived yet, could you tell me where it is?",
        ),
        ("Another address", "Good afternoon. Could order {order} be delivered to another address? {name}"),
        ("Thank you", "Order {order} has arrived and everything fits. Thank you! {name}"),
        (None, "{name} asks to be called back about order {order}."),
    ),
}
