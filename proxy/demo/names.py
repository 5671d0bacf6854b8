"""The words that made-up people are made of.  Tables only; `people.py` puts them together."""

# ruff: noqa: SIM905 (words read better as text than as a list of quoted words)

from __future__ import annotations

RUSSIAN_SURNAMES = (
    "Смирнов Иванов Кузнецов Соколов Попов Лебедев Козлов Новиков Морозов Петров Волков Соловьёв Васильев Зайцев "
    "Павлов Семёнов Голубев Виноградов Богданов Воробьёв Фёдоров Михайлов Беляев Тарасов Белов Комаров Орлов Киселёв "
    "Макаров Андреев Ковалёв Ильин Гусев Титов Кузьмин Кудрявцев Баранов Куликов Алексеев Степанов Яковлев Сорокин "
    "Сергеев Романов Захаров Борисов Королёв Герасимов Пономарёв Григорьев"
).split()
RUSSIAN_MEN = (
    "Александр Алексей Андрей Антон Борис Вадим Виктор Владимир Георгий Даниил Денис Дмитрий Евгений Егор Иван Кирилл "
    "Константин Лев Максим Михаил Никита Николай Олег Павел Пётр Роман Сергей Степан Фёдор Ярослав"
).split()
RUSSIAN_WOMEN = (
    "Александра Алина Алла Анастасия Анна Валентина Валерия Вера Виктория Галина Дарья Евгения Екатерина Елена "
    "Елизавета Ирина Ксения Лариса Лидия Любовь Людмила Маргарита Марина Мария Надежда Наталья Нина Ольга Полина Юлия"
).split()
RUSSIAN_FATHERS = (
    "Александр Алексей Андрей Антон Борис Вадим Виктор Владимир Денис Иван Константин Максим Михаил Николай Олег Павел "
    "Пётр Роман Сергей Степан"
).split()
# Fathers whose patronymic is not just the name with -ович or -овна.
RUSSIAN_FATHER_STEMS = {"Алексей": "Алексее", "Андрей": "Андрее", "Николай": "Николае", "Сергей": "Сергее"}
RUSSIAN_FATHER_BASES = {"Павел": "Павл", "Пётр": "Петр", "Михаил": "Михайл"}

ENGLISH_SURNAMES = (
    "Adams Allen Bailey Baker Barnes Bennett Brooks Brown Butler Carter Clark Collins Cooper Cox Davies Edwards Evans "
    "Fisher Foster Green Griffin Hall Harris Hayes Hill Howard Hughes Jackson Jenkins Johnson Kelly King Lewis Long "
    "Marshall Mitchell Moore Morgan Murphy Nelson O'Brien Palmer Parker Price Reed Scott Simmons Taylor Turner Walker"
).split()
ENGLISH_MEN = (
    "Adam Andrew Benjamin Charles Daniel David Edward George Harry Henry Jack James John Joseph Luke Mark Matthew "
    "Michael Oliver Patrick Paul Peter Philip Richard Robert Samuel Simon Stephen Thomas William"
).split()
ENGLISH_WOMEN = (
    "Abigail Alice Amelia Amy Catherine Charlotte Claire Diana Eleanor Elizabeth Emily Emma Grace Hannah Helen Holly "
    "Isabel Jane Jennifer Julia Laura Lucy Margaret Olivia Rachel Rebecca Rose Sarah Sophie Victoria"
).split()

# City and the first three digits of its postal codes.
RUSSIAN_CITIES = (
    ("Москва", "101"), ("Санкт-Петербург", "190"), ("Казань", "420"), ("Нижний Новгород", "603"),
    ("Екатеринбург", "620"), ("Новосибирск", "630"), ("Самара", "443"), ("Пермь", "614"), ("Воронеж", "394"),
    ("Краснодар", "350"), ("Томск", "634"), ("Ярославль", "150"), ("Тула", "300"), ("Псков", "180"),
)  # fmt: skip
RUSSIAN_STREETS = (
    "Лесная Садовая Центральная Школьная Молодёжная Новая Советская Набережная Заречная Полевая Луговая Речная Зелёная "
    "Северная Южная Солнечная Парковая Вокзальная Спортивная Озёрная"
).split()
# City, country and the shape of its postal codes: A a letter, 9 a digit.
ENGLISH_CITIES = (
    ("Leeds", "United Kingdom", "LS9 9AA"), ("Bristol", "United Kingdom", "BS9 9AA"),
    ("York", "United Kingdom", "YO9 9AA"), ("Sheffield", "United Kingdom", "S9 9AA"),
    ("Portland", "United States", "97299"), ("Denver", "United States", "80299"),
    ("Madison", "United States", "53799"), ("Albany", "United States", "12299"),
)  # fmt: skip
ENGLISH_STREETS = (
    "Mill Lane|Church Road|Station Road|High Street|Park Avenue|Oak Street|Maple Avenue|River Road|Hill Street|"
    "Garden Lane|Bridge Street|Orchard Road|Meadow Close|School Lane|Cedar Court|Victoria Road"
).split("|")

# Names that nobody can register (RFC 2606), so that no mail of a demo ever arrives.
MAIL_DOMAINS = ("example.org", "example.com", "example.net", "mail.example")

LATIN = dict(
    zip(
        "абвгдеёжзийклмнопрстуфхцчшщъыьэюя",
        "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch  y  e yu ya".split(" "),
        strict=True,
    )
)
