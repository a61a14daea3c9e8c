Feature: Paying for an order
  A customer pays an order at a provider. A payment is booked once and can be refunded. A provider's webhook is accepted only with
  a valid signature, and a repeated one has no effect.

  Rule: A customer pays their own order at an enabled provider

    Scenario: A payment on the sandbox's page
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays
      Then the payment is paid
      And 1500.00 PKR was captured and 0.00 PKR was refunded
      And the payment has published PaymentCaptured

    Scenario Outline: Other customers and disabled providers are rejected
      Given an order of 1500.00 PKR awaits payment
      When <step>
      Then the response is <error>
      And the payment has published nothing

      Examples:
        | step                                   | error                 |
        | another customer starts to pay         | 404 PAYMENT_NOT_FOUND |
        | the customer starts to pay with stripe | 409 PROVIDER_DISABLED |
        | the customer starts to pay with paypal | 409 PROVIDER_DISABLED |

    Scenario: An order that does not await payment cannot be paid
      When the customer starts to pay
      Then the response is 404 PAYMENT_NOT_FOUND

    Scenario: A second start returns the open attempt
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer starts to pay
      Then the response is 200
      And the attempts are open

    Scenario: A declined card ends the attempt, and another attempt pays
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the card is declined
      And the customer starts to pay
      And the customer pays
      Then the payment is paid
      And the attempts are failed, captured
      And the payment has published PaymentFailed, PaymentCaptured

    Scenario: A customer who left the page can start again
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer leaves the page
      And the customer starts to pay
      Then the response is 200
      And the attempts are closed, open
      And the payment has published nothing

    Scenario: A paid order cannot be paid again
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When the customer starts to pay
      Then the response is 409 PAYMENT_NOT_PAYABLE

  Rule: A payment is booked once, whenever its webhooks arrive

    Scenario Outline: Repeated webhooks book one payment
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider sends <count> webhooks
      Then the payment is paid
      And 1500.00 PKR was captured and 0.00 PKR was refunded
      And the payment has published PaymentCaptured

      Examples:
        | count |
        | 2     |
        | 5     |

    Scenario: A payment without a webhook is polled
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider sends 0 webhooks
      And 6 minutes pass
      Then the payment is paid
      And the payment has published PaymentCaptured

    Scenario: A webhook after the poll has no effect
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider sends a late webhook
      And 6 minutes pass
      Then the payment is paid
      And 1500.00 PKR was captured and 0.00 PKR was refunded
      And the payment has published PaymentCaptured

    Scenario Outline: A webhook without the provider's signature is rejected
      Given an order of 1500.00 PKR awaits payment
      When an attacker reports a payment <how>
      Then the response is 400 INVALID_SIGNATURE
      And the payment is open

      Examples:
        | how                       |
        | without a signature       |
        | under their own signature |

  Rule: A payment of another amount or currency is not booked, and an operator reviews it

    Scenario Outline: Another amount or currency
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays <paid>
      Then the payment is open
      And the payment has an open task about <paid>
      And the payment has published PaymentReviewRequired
      When an admin resolves the task
      Then the response is 200
      And the payment has no open task

      Examples:
        | paid        |
        | 1.00 PKR    |
        | 1500.01 PKR |
        | 1500.00 USD |
        | much PKR    |

  Rule: Refunds never exceed the captured amount

    Scenario: A repeated request of the order refunds once
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When the order requests a refund twice
      Then the payment is refunded
      And 1500.00 PKR was captured and 1500.00 PKR was refunded
      And the payment has published PaymentCaptured, PaymentRefunded

    Scenario: An admin refunds a part and then the rest
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When an admin refunds 500.00 PKR
      Then 1500.00 PKR was captured and 500.00 PKR was refunded
      When an admin refunds all
      Then the payment is refunded
      When an admin refunds 0.01 PKR
      Then the response is 409 REFUND_TOO_LARGE

    Scenario Outline: A larger amount or another currency cannot be refunded
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When an admin refunds <amount>
      Then the response is 409 REFUND_TOO_LARGE

      Examples:
        | amount      |
        | 1500.01 PKR |
        | 1.00 USD    |

  Rule: A cancelled order cannot be paid, and a late payment is published

    Scenario: A customer cannot start to pay a cancelled order
      Given an order of 1500.00 PKR awaits payment
      When the order is cancelled
      And the customer starts to pay
      Then the response is 409 PAYMENT_NOT_PAYABLE
      And the payment is closed

    Scenario: A cancellation that arrives first closes the payment
      When the order is cancelled
      And the order's earlier event arrives
      Then the payment is closed

    Scenario: A payment during the cancellation is booked and refunded
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider sends 0 webhooks
      And the order is cancelled
      And 1 minutes pass
      Then the payment is paid
      And the payment has published PaymentCaptured
      When the order requests a refund
      Then the payment is refunded

    Scenario: A cancellation closes the open attempt
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the order is cancelled
      And 1 minutes pass
      Then the attempts are closed

  Rule: The operations require authentication

    Scenario Outline: A request without a token is rejected
      When a caller without a token requests <operation>
      Then the response is 401 UNAUTHENTICATED

      Examples:
        | operation         |
        | StartAttempt      |
        | GetPayment        |
        | ListPayments      |
        | RefundPayment     |
        | ResolveTask       |
        | RepublishPayments |
