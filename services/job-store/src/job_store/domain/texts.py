"""What users read, in their language; every line can be overridden per bot. Carrier texts are true for ever."""

import math
from datetime import timedelta
from typing import Final

from contracts.values import FailureClass, MoneyState, label
from job_store.domain.rows import Bot, Job, Part

EN: Final = {
    "status": "Working on it · job {label}",
    "status.progress": "Working on it · {percent} % · job {label}",
    "status.expected": "Working on it, usually about {expected} · job {label}",
    "status.late": "Still working, it takes longer than usual · job {label}",
    "span.seconds": "{count} s",
    "span.minutes": "{count} min",
    "carrier.image": "Ready: image · job {label}",
    "carrier.video": "Ready: video · job {label}",
    "carrier.animation": "Ready: animation · job {label}",
    "carrier.audio": "Ready: audio · job {label}",
    "carrier.voice": "Ready: voice message · job {label}",
    "carrier.text": "Ready: text · job {label}",
    "carrier.file": "Ready: file · job {label}",
    "carrier.midi": "Ready: notes · job {label}",
    "carrier.files": "Ready: {count} files · job {label}",
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
    "status.progress": "Генерация идёт · {percent} % · задание {label}",
    "status.expected": "Генерация идёт, обычно около {expected} · задание {label}",
    "status.late": "Генерация ещё идёт, дольше обычного · задание {label}",
    "span.seconds": "{count} с",
    "span.minutes": "{count} мин",
    "carrier.image": "Готово: изображение · задание {label}",
    "carrier.video": "Готово: видео · задание {label}",
    "carrier.animation": "Готово: анимация · задание {label}",
    "carrier.audio": "Готово: аудио · задание {label}",
    "carrier.voice": "Готово: голосовое сообщение · задание {label}",
    "carrier.text": "Готово: текст · задание {label}",
    "carrier.file": "Готово: файл · задание {label}",
    "carrier.midi": "Готово: ноты · задание {label}",
    "carrier.files": "Готово: файлов {count} · задание {label}",
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

MINUTE: Final = 60
STEP: Final = 5  # seconds; nobody reads "usually about 17 s" as a promise

LONGEST: Final = 2_000  # what a request carries; a bot's own text may be longer

# Digits after the point in one unit; ISO 4217, and Telegram Stars have none.
EXPONENT: Final = {"XTR": 0, "JPY": 0, "KRW": 0, "VND": 0, "KZT": 2, "RUB": 2, "USD": 2, "EUR": 2}


def line(bot: Bot, job: Job, name: str, **values: str) -> str:
    """Render one line: the bot's own text, else the shipped one in the user's language, else English."""
    shipped = SHIPPED.get(job.language, EN)
    text = bot.texts.get(f"{job.language}.{name}") or bot.texts.get(name) or shipped[name]
    for placeholder, value in {"label": label(job.id), "amount": amount(job), **values}.items():
        text = text.replace(f"{{{placeholder}}}", value)
    return text[:LONGEST]


def span(bot: Bot, job: Job, time: timedelta) -> str:
    """Render about how long something takes: up to the next 5 seconds, or the next minute."""
    seconds = time.total_seconds()
    if seconds <= MINUTE - STEP:
        return line(bot, job, "span.seconds", count=str(max(math.ceil(seconds / STEP), 1) * STEP))
    return line(bot, job, "span.minutes", count=str(math.ceil(seconds / MINUTE)))


def amount(job: Job) -> str:
    """Render the price for a person: ``12.50 RUB``, ``40 XTR``."""
    digits = EXPONENT.get(job.currency, 2)
    if digits == 0:
        return f"{job.price} {job.currency}"
    units, rest = divmod(job.price, 10**digits)
    return f"{units}.{rest:0{digits}d} {job.currency}"


def carrier(bot: Bot, job: Job, part: Part) -> str:
    """Render what stands in a message before its content does."""
    if part.is_notice:
        return line(bot, job, "carrier.notice")
    if part.items:
        return files(bot, job, len(part.items))
    return line(bot, job, f"carrier.{part.kind}")


def files(bot: Bot, job: Job, count: int) -> str:
    return line(bot, job, "carrier.files", count=str(count))


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
