"""Real servers for tests, the demo and `sendonce up`."""

from testkit.servers.directory import DirectoryInUse
from testkit.servers.durability import Durability
from testkit.servers.nats import NatsServer
from testkit.servers.nats_cluster import NatsCluster
from testkit.servers.postgres import PostgresServer
from testkit.servers.protocol import DatabaseServer, NotOurs, Server

__all__ = [
    "DatabaseServer",
    "DirectoryInUse",
    "Durability",
    "NatsCluster",
    "NatsServer",
    "NotOurs",
    "PostgresServer",
    "Server",
]
