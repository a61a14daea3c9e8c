Feature: Paying for an order
  An order's money is asked for at a provider, comes in once, and goes back where it has to. What a provider says is believed
  only where it is genuine, and booked once however often it is said.

  Rule: A customer pays his own order, at a provider that is on

    Scenario: Paid on the sandbox's page
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays
      Then the payment is paid
      And 1500.00 PKR came in and 0.00 PKR went back
      And the payment has published PaymentCaptured

    Scenario Outline: Who can't pay
      Given an order of 1500.00 PKR awaits payment
      When <who>
      Then the answer is <refused>
      And the payment has published nothing

      Examples:
        | who                                   | refused               |
        | another customer starts to pay        | 404 PAYMENT_NOT_FOUND |
        | the customer starts to pay with stripe | 409 PROVIDER_DISABLED      |
        | the customer starts to pay with nobody | 409 PROVIDER_DISABLED      |

    Scenario: An order that does not await payment
      When the customer starts to pay
      Then the answer is 404 PAYMENT_NOT_FOUND

    Scenario: Starting twice is the same attempt
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer starts to pay
      Then the answer is 200
      And the attempts are open

    Scenario: A declined card ends one attempt, and another one pays
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the card is declined
      And the customer starts to pay
      And the customer pays
      Then the payment is paid
      And the attempts are failed, captured
      And the payment has published PaymentFailed, PaymentCaptured

    Scenario: Who leaves the page may come back
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer leaves the page
      And the customer starts to pay
      Then the answer is 200
      And the attempts are closed, open
      And the payment has published nothing

    Scenario: A paid order is not paid again
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When the customer starts to pay
      Then the answer is 409 PAYMENT_NOT_PAYABLE

  Rule: What a provider says is booked once, whenever it comes

    Scenario Outline: Said again and again
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider says so <times> times
      Then the payment is paid
      And 1500.00 PKR came in and 0.00 PKR went back
      And the payment has published PaymentCaptured

      Examples:
        | times |
        | 2     |
        | 5     |

    Scenario: A word that is lost is asked for
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider says so 0 times
      And 6 minutes pass
      Then the payment is paid
      And the payment has published PaymentCaptured

    Scenario: A word that comes late finds what was asked for
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider says so late
      And 6 minutes pass
      Then the payment is paid
      And 1500.00 PKR came in and 0.00 PKR went back
      And the payment has published PaymentCaptured

    Scenario Outline: A word of somebody else's is not taken
      Given an order of 1500.00 PKR awaits payment
      When an attacker reports a payment <how>
      Then the answer is 400 INVALID_SIGNATURE
      And the payment is open

      Examples:
        | how                          |
        | without a signature          |
        | under their own signature |

  Rule: Money that does not fit is never paid: a person decides

    Scenario Outline: Another amount, another currency
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays <paid>
      Then the payment is open
      And a person has <paid> to decide
      And the payment has published PaymentReviewRequired
      When an admin resolves the task
      Then the answer is 200
      And a person has nothing to decide

      Examples:
        | paid        |
        | 1.00 PKR    |
        | 1500.01 PKR |
        | 1500.00 USD |
        | much PKR    |

  Rule: Money goes back, and never more than came in

    Scenario: The order asks for it, once however often it is heard
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When the order asks for its money back twice
      Then the payment is refunded
      And 1500.00 PKR came in and 1500.00 PKR went back
      And the payment has published PaymentCaptured, PaymentRefunded

    Scenario: An admin sends back a part and then the rest
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When an admin refunds 500.00 PKR
      Then 1500.00 PKR came in and 500.00 PKR went back
      When an admin refunds all
      Then the payment is refunded
      When an admin refunds 0.01 PKR
      Then the answer is 409 REFUND_TOO_LARGE

    Scenario Outline: What can't go back
      Given an order of 1500.00 PKR awaits payment
      And the order is paid
      When an admin refunds <amount>
      Then the answer is 409 REFUND_TOO_LARGE

      Examples:
        | amount      |
        | 1500.01 PKR |
        | 1.00 USD    |

  Rule: A cancelled order is not paid, and money that comes late is told

    Scenario: Nobody starts to pay for a cancelled order
      Given an order of 1500.00 PKR awaits payment
      When the order is cancelled
      And the customer starts to pay
      Then the answer is 409 PAYMENT_NOT_PAYABLE
      And the payment is closed

    Scenario: Though it is heard first that it was cancelled
      When the order is cancelled
      And the order awaits payment at last
      Then the payment is closed

    Scenario: The money was on its way
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the customer pays and the provider says so 0 times
      And the order is cancelled
      And 1 minutes pass
      Then the payment is paid
      And the payment has published PaymentCaptured
      When the order asks for its money back
      Then the payment is refunded

    Scenario: An open page is closed with its order
      Given an order of 1500.00 PKR awaits payment
      And the customer has started to pay
      When the order is cancelled
      And 1 minutes pass
      Then the attempts are closed

  Rule: Who asks has to be somebody

    Scenario Outline: Without a token
      When a caller without a token requests <operation>
      Then the answer is 401 UNAUTHENTICATED

      Examples:
        | operation         |
        | StartAttempt      |
        | GetPayment        |
        | ListPayments      |
        | RefundPayment     |
        | ResolveTask       |
        | RepublishPayments |
