"""The sender of this installation, by its settings."""

from config.settings import settings
from tasks.messages.senders import Sender


class SenderError(ValueError):
    """The settings of this installation do not allow sending by the mail provider."""


def configured_sender() -> Sender:
    """The sender of this installation."""
    from tasks.messages.paper import Paper

    configuration = settings()
    if configuration.sender == "paper":
        return Paper(configuration.folder("outgoing") / "send-messages")
    if configuration.sendgrid_api_key is None:
        raise SenderError("SENDGRID_API_KEY is not set; FULFILMENT_SENDER=sendgrid needs it")
    from tasks.messages.sendgrid_sender import SendGrid

    return SendGrid(configuration.sendgrid_api_key.get_secret_value(), configuration.sendgrid_host)
