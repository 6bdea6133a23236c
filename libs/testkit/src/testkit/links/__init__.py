"""TCP links that can be cut, slowed, silenced and robbed of one answer: the network between our parts."""

from testkit.links.link import Link, State
from testkit.links.robbers import CommitReplies, PubAcks, Replies, Robber

__all__ = ["CommitReplies", "Link", "PubAcks", "Replies", "Robber", "State"]
