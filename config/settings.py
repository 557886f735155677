"""What differs from one installation to the next, read from the environment and from nowhere else."""

import os
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Environment of one installation; every name is prefixed `FULFILMENT_` unless it says otherwise."""

    model_config = SettingsConfigDict(env_prefix="FULFILMENT_", extra="ignore")

    home: Path = Path("data")
    config: Path = Path("config")
    database_url: SecretStr | None = None
    merchant: str | None = None  # whose file it is when neither the file nor its folder names a merchant
    sender: Literal["paper", "sendgrid"] = "paper"
    sendgrid_api_key: SecretStr | None = Field(default=None, validation_alias="SENDGRID_API_KEY")
    sendgrid_host: str = "https://api.sendgrid.com"
    dask: str | None = None  # who plans the parts of large releases: a scheduler's address, or `local`
    file_bytes_max: int = 4_000_000_000
    unpacked_bytes_max: int = 2_000_000_000

    @property
    def database(self) -> str:
        """The database's address; without one, a SQLite file below `home`."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.resolve() / 'fulfilment.db'}"

    def folder(self, name: str) -> Path:
        """`home/name`, made if it is not there: inbox, archive, quarantine, outgoing, reports."""
        path = self.home / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    def documents(self, flow: str, as_of: datetime) -> Path:
        """Where a run of `flow` as of a moment writes for people: outgoing/<flow>/<moment>."""
        return self.folder("outgoing") / flow / f"{as_of:%Y%m%dT%H%M%SZ}"


def settings() -> Settings:
    """The settings as the environment says them now."""
    return _read(frozenset(os.environ.items()))


@lru_cache(maxsize=1)
def _read(_environment: frozenset[tuple[str, str]]) -> Settings:
    """Read once as long as the environment stays as it is: a day asks a thousand times."""
    return Settings()
