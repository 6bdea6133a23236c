"""JetStream through one door: connecting, consuming, publishing, watching durables, migrating."""

from chassis.bus.connection import check_connection, connect, connected, disconnect
from chassis.bus.consumer import Consumer, Delivered, DurableMissing, Handler, OnHopeless, consume
from chassis.bus.publish import NotStored, Outgoing, Publisher, Stored, TooLarge
from chassis.bus.streams import (
    ConsumerSpec,
    StreamDrift,
    StreamSpec,
    check_streams,
    checked,
    ensure_streams,
    purge_below,
)
from chassis.bus.watchdog import ConsumerWatchdog

__all__ = [
    "Consumer",
    "ConsumerSpec",
    "ConsumerWatchdog",
    "Delivered",
    "DurableMissing",
    "Handler",
    "NotStored",
    "OnHopeless",
    "Outgoing",
    "Publisher",
    "Stored",
    "StreamDrift",
    "StreamSpec",
    "TooLarge",
    "check_connection",
    "check_streams",
    "checked",
    "connect",
    "connected",
    "consume",
    "disconnect",
    "ensure_streams",
    "purge_below",
]
