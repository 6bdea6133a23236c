"""Can `sendonce check` and `sendonce smoke` pass on a broken build? One capability is gutted after the other."""
