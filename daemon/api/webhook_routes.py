"""The rows of the table of routes that are about webhooks."""

from __future__ import annotations

from daemon.api.callers import Scope
from daemon.api.route import Answer, Route
from daemon.api.webhook_models import (
    DeliveryList,
    DeliveryQuery,
    DeliveryShown,
    NewWebhookShown,
    WebhookAsked,
    WebhookList,
    WebhookShown,
)
from daemon.api.webhooks import (
    create_webhook,
    list_deliveries,
    list_webhooks,
    remove_webhook,
    renew_secret,
    replay_delivery,
    show_webhook,
)

_ONE = "/v1/webhooks/{webhook_id}"

WEBHOOK_ROUTES = (
    Route(
        method="POST", path="/v1/webhooks", handler=create_webhook, scope=Scope.RENDER,
        operation="createWebhook", summary="Register who is told of jobs that end.",
        answers={201: Answer(description="The receiver; its secret is shown this once.",
                             model=NewWebhookShown, headers={"Location": "Where it is."})},
        body_model=WebhookAsked, problems=(409, 422), tag="webhooks",
    ),
    Route(
        method="GET", path="/v1/webhooks", handler=list_webhooks, scope=Scope.READ,
        operation="listWebhooks", summary="One's own receivers; everybody's for an admin.",
        answers={200: Answer(description="The receivers.", model=WebhookList)}, tag="webhooks",
    ),
    Route(
        method="GET", path=_ONE, handler=show_webhook, scope=Scope.READ,
        operation="showWebhook", summary="A receiver, without its secret.",
        answers={200: Answer(description="The receiver.", model=WebhookShown)}, tag="webhooks",
    ),
    Route(
        method="DELETE", path=_ONE, handler=remove_webhook, scope=Scope.RENDER,
        operation="removeWebhook", summary="Send nothing more to a receiver.",
        answers={204: Answer(description="It is forgotten.")}, tag="webhooks",
    ),
    Route(
        method="POST", path=f"{_ONE}/secret", handler=renew_secret, scope=Scope.RENDER,
        operation="renewWebhookSecret",
        summary="Another secret; the one before it signs as well until the next change.",
        answers={200: Answer(description="The receiver and its new secret, shown this once.",
                             model=NewWebhookShown)},
        tag="webhooks",
    ),
    Route(
        method="GET", path=f"{_ONE}/deliveries", handler=list_deliveries, scope=Scope.READ,
        operation="listDeliveries",
        summary="What was sent to a receiver; `callback` in place of an id: to callbacks of specs.",
        answers={200: Answer(description="A page.", model=DeliveryList)},
        query=DeliveryQuery, tag="webhooks",
    ),
    Route(
        method="POST", path=f"{_ONE}/deliveries/{{message_id}}/replay", handler=replay_delivery,
        scope=Scope.RENDER, operation="replayDelivery",
        summary="Send a message again, under its id, from the first attempt on.",
        answers={202: Answer(description="It waits to be sent.", model=DeliveryShown)},
        tag="webhooks",
    ),
)  # fmt: skip
