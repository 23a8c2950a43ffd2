"""The peers' own virtual environment: makes it, and says for each peer why it could not be had."""

import subprocess
import venv
from pathlib import Path

from benchmarks.subjects import PEERS_ENVIRONMENT

REQUIREMENTS = Path(__file__).with_name("peers.txt")


def required_versions() -> dict[str, str]:
    """Return the pinned version of each peer's distribution."""
    lines = (line.partition("#")[0].strip() for line in REQUIREMENTS.read_text("utf-8").splitlines())
    pairs = (line.partition("==") for line in lines if line)
    return {name: version for name, _, version in pairs}


def install(peers: set[str]) -> dict[str, str]:
    """Install what is missing of the named distributions; return the reason for each that could not be installed."""
    python = PEERS_ENVIRONMENT / "bin" / "python"
    if not python.exists():
        venv.create(PEERS_ENVIRONMENT, with_pip=True)
    reasons: dict[str, str] = {}
    for name, version in required_versions().items():
        if name not in peers or installed_version(python, name) == version:
            continue
        # One by one: a peer without a wheel for this platform must not take the others with it.
        command = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"{name}=={version}"]
        outcome = subprocess.run(command, capture_output=True, text=True, check=False)
        if outcome.returncode:
            reasons[name] = outcome.stderr.strip().splitlines()[-1] if outcome.stderr.strip() else "pip failed"
    return reasons


def installed_version(python: Path, name: str) -> str | None:
    """Return the version of a distribution in the environment of an interpreter, or None."""
    code = "import importlib.metadata as m, sys; print(m.version(sys.argv[1]))"
    outcome = subprocess.run([str(python), "-c", code, name], capture_output=True, text=True, check=False)
    return outcome.stdout.strip() if outcome.returncode == 0 else None
