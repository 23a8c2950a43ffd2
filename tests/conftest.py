"""How Hypothesis runs here: the same cases every time in `make test`, new ones in `make test-long`; never timed."""

import os

from hypothesis import HealthCheck, settings

settings.register_profile("gate", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("search", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("SKERRY_TEST_HYPOTHESIS_PROFILE", "gate"))
