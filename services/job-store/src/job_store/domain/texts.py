"""What users read, in their language; every line can be overridden per bot. Carrier texts are true for ever."""

from typing import Final

from contracts.values import FailureClass, MediaKind, MoneyState, label
from job_store.domain.rows import Bot, Job

EN: Final = {
    "status": "Working on it · job {label}",
    "carrier.image": "Ready: image · job {label}",
    "carrier.video": "Ready: video · job {label}",
    "carrier.audio": "Ready: audio · job {label}",
    "carrier.text": "Ready: text · job {label}",
    "carrier.file": "Ready: file · job {label}",
    "carrier.notice": "About your job {label}",
    "pointer": "Ready · job {label} · see below",
    "failed.moderated": "The request was refused by the content rules. Job {label}.",
    "failed.bad_input": "The request cannot be carried out as it is. Job {label}.",
    "failed.input_unreadable": "Your file could not be read. Job {label}.",
    "failed.copyright": "It matches a protected work. Job {label}.",
    "failed.provider_error": "The generation failed. Job {label}.",
    "failed.provider_busy": "The generator is busy, please try again later. Job {label}.",
    "failed.owner_account": "The service is not available now. Job {label}.",
    "failed.timeout": "The generation took too long and was stopped. Job {label}.",
    "undeliverable": "The result could not be shown. Job {label}.",
    "money.released": " Nothing was charged: {amount} is free on your balance again.",
    "money.refunded": " {amount} was returned to your balance.",
}

RU: Final = {
    "status": "Генерация идёт · задание {label}",
    "carrier.image": "Готово: изображение · задание {label}",
    "carrier.video": "Готово: видео · задание {label}",
    "carrier.audio": "Готово: аудио · задание {label}",
    "carrier.text": "Готово: текст · задание {label}",
    "carrier.file": "Готово: файл · задание {label}",
    "carrier.notice": "О вашем задании {label}",
    "pointer": "Готово · задание {label} · смотрите ниже",
    "failed.moderated": "Запрос отклонён правилами содержания. Задание {label}.",
    "failed.bad_input": "Запрос нельзя выполнить в таком виде. Задание {label}.",
    "failed.input_unreadable": "Ваш файл не удалось прочитать. Задание {label}.",
    "failed.copyright": "Совпадение с защищённым произведением. Задание {label}.",
    "failed.provider_error": "Генерация не удалась. Задание {label}.",
    "failed.provider_busy": "Генератор занят, попробуйте позже. Задание {label}.",
    "failed.owner_account": "Сервис сейчас недоступен. Задание {label}.",
    "failed.timeout": "Генерация длилась слишком долго и остановлена. Задание {label}.",
    "undeliverable": "Результат не удалось показать. Задание {label}.",
    "money.released": " Ничего не списано: {amount} снова доступны на балансе.",
    "money.refunded": " {amount} возвращены на ваш баланс.",
}

SHIPPED: Final = {"en": EN, "ru": RU}

LONGEST: Final = 2_000  # what a request carries; a bot's own text may be longer

# Digits after the point in one unit; ISO 4217, and Telegram Stars have none.
EXPONENT: Final = {"XTR": 0, "JPY": 0, "KRW": 0, "VND": 0, "KZT": 2, "RUB": 2, "USD": 2, "EUR": 2}


def line(bot: Bot, job: Job, name: str) -> str:
    """Render one line: the bot's own text, else the shipped one in the user's language, else English."""
    shipped = SHIPPED.get(job.language, EN)
    template = bot.texts.get(f"{job.language}.{name}") or bot.texts.get(name) or shipped[name]
    return template.replace("{label}", label(job.id)).replace("{amount}", amount(job))[:LONGEST]


def amount(job: Job) -> str:
    """Render the price for a person: ``12.50 RUB``, ``40 XTR``."""
    digits = EXPONENT.get(job.currency, 2)
    if digits == 0:
        return f"{job.price} {job.currency}"
    units, rest = divmod(job.price, 10**digits)
    return f"{units}.{rest:0{digits}d} {job.currency}"


def carrier(bot: Bot, job: Job, kind: MediaKind, *, notice: bool) -> str:
    """Render what stands in a message before its content does."""
    return line(bot, job, "carrier.notice" if notice else f"carrier.{kind}")


def failure(bot: Bot, job: Job, failure_class: FailureClass) -> str:
    """Render why it failed, and what became of the money — the latter only from a ledger entry."""
    return line(bot, job, f"failed.{failure_class}") + money(bot, job)


def money(bot: Bot, job: Job) -> str:
    """Render the sentence about money that this job's ledger entry warrants, or nothing."""
    match job.money:
        case MoneyState.RELEASED:
            return line(bot, job, "money.released")
        case MoneyState.REFUNDED:
            return line(bot, job, "money.refunded")
        case _:
            return ""
