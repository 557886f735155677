"""The sender this installation is set up with."""

from config.settings import settings
from tasks.messages.senders import Sender


class SenderError(ValueError):
    """The mail provider cannot be asked as this installation is set up."""


def configured_sender() -> Sender:
    """The sender of this installation."""
    from tasks.messages.paper import Paper

    here = settings()
    if here.sender == "paper":
        return Paper(here.folder("outgoing") / "send-messages")
    if here.sendgrid_api_key is None:
        raise SenderError("SENDGRID_API_KEY is not set; FULFILMENT_SENDER=sendgrid needs it")
    from tasks.messages.sendgrid_sender import SendGrid

    return SendGrid(here.sendgrid_api_key.get_secret_value(), here.sendgrid_host)
