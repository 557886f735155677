"""Send customers their messages, each at most once."""

from collections.abc import Sequence
from dataclasses import dataclass

from prefect.artifacts import create_table_artifact

from tasks.clock import NOW, moment
from tasks.domain.states import MessageState
from tasks.runs.artifact_tables import shown
from tasks.runs.operation import operation
from tasks.runs.parameters import Moment
from tasks.runs.run_names import named
from tasks.steps.messaging.list_unreached_customers import list_unreached_customers, support_rows
from tasks.steps.messaging.send_messages import release_messages, send_queued, settle_interrupted, suppress_messages
from tasks.steps.prepare_database import prepare_database


@dataclass(frozen=True)
class Sent:
    """The numbers of messages by what happened to them."""

    sent: int
    failed: int
    queued_again: int
    in_doubt: int
    suppressed: int
    released: int
    for_customer_support: int


@operation(name="send-messages", flow_run_name=named("send messages", as_of=" as of {}"))
def send_messages(not_sent: Sequence[str] = (), as_of: Moment = NOW) -> Sent:
    """Send the messages in the outbox: on paper (to a folder) or by the configured mail provider.

    A message is claimed before it is sent and closed after it. If a run dies in between, the message may have been
    sent: it is in doubt, is listed for a person and is never sent again automatically. A second run finds an empty
    outbox, sends nothing and writes no list.

    Args:
        not_sent: Keys of messages in doubt that a person found were not sent; they are queued again.
        as_of: The moment to take as now. A time without a zone is in the warehouse's time zone.

    Returns:
        The numbers of messages by the state they ended in, and of those listed for customer support.
    """
    as_of = moment(as_of)
    prepare_database()
    interrupted = settle_interrupted(as_of)
    released = release_messages(not_sent)
    suppressed = suppress_messages(as_of)
    states = send_queued(as_of)
    listed = list_unreached_customers(as_of)
    create_table_artifact(
        shown(support_rows(listed)), key="customer-support", description="Messages that did not arrive"
    )
    return Sent(
        sent=states.get(MessageState.SENT, 0),
        failed=states.get(MessageState.FAILED, 0),
        queued_again=states.get(MessageState.QUEUED, 0),
        in_doubt=interrupted + states.get(MessageState.IN_DOUBT, 0),
        suppressed=suppressed,
        released=released,
        for_customer_support=len(listed),
    )
