Feature: The saga of order, inventory and payment
  Events may be reordered, duplicated or late. Payment, stock and order agree in the end.

  Background:
    Given 10 mugs in stock for 1500.00 PKR each
    And 3 teapots in stock for 4000.00 PKR each

  Rule: All lines of an order are reserved, or none

    Scenario: An order of available units awaits its payment
      When a customer orders 2 mugs, 1 teapot
      Then the order is awaiting payment
      And there are 10 mugs, 2 of them reserved
      And there are 3 teapots, 1 of them reserved
      And the order has published OrderPlaced, OrderAwaitingPayment

    Scenario Outline: An order of more units than available is cancelled
      When a customer orders <lines>
      Then the order is cancelled because of no stock
      And there are 10 mugs, 0 of them reserved
      And there are 3 teapots, 0 of them reserved
      And no refunds are requested

      Examples:
        | lines               |
        | 11 mugs             |
        | 2 mugs, 4 teapots   |
        | 6 mugs, 5 mugs      |
        | 2 teapots, 2 teapot |

    Scenario: The last units go to one of two orders
      Given an order of 6 mugs that is placed
      And an order of 6 mugs that is placed
      When all events are processed
      Then there are 10 mugs, 6 of them reserved
      And the ledger of the mugs sums to its stock

    Scenario: An archived product can't be ordered
      Given an order of 1 mug that is placed
      When the mug is archived
      And all events are processed
      And a customer orders 1 mug
      Then the response is 409 LINES_REJECTED
      And the line of the mug is rejected because it is not on sale

  Rule: A paid order is confirmed, and its units leave the stock

    Scenario: From the placement to the delivery
      Given an order of 2 mugs that is awaiting payment
      When its payment is captured
      Then the order is confirmed
      And there are 8 mugs, 0 of them reserved
      When the admin ships the order
      Then the order is shipped
      When the admin delivers the order
      Then the order is delivered
      And the order has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderShipped, OrderDelivered
      And the ledger of the mugs sums to its stock

    Scenario: The timeline has texts for the customer
      Given an order of 2 mugs that is awaiting payment
      When its payment fails
      And all events are processed
      And its payment is captured
      And all events are processed
      And the customer changes the address
      And the admin ships the order
      Then the timeline is
        | We've received your order and are checking stock.         |
        | Your items are reserved. Please complete your payment.    |
        | Your payment failed (card declined). You can try again.   |
        | Your order is confirmed. We're preparing it for shipment. |
        | Your delivery or contact details were updated.            |
        | Your order has shipped with TCS. Tracking number: 77.     |

    Scenario Outline: A duplicate capture has its effect once
      Given an order of 2 mugs that is <stage>
      When its payment is captured
      And the same event is published again
      Then the order is confirmed
      And there are 8 mugs, 0 of them reserved
      And <refunds> refunds are requested

      Examples:
        | stage            | refunds |
        | placed           | no      |
        | awaiting payment | no      |

      Examples: late
        | stage     | refunds |
        | timed out | no      |

    Scenario: A payment that arrives before the reservation is applied after it
      Given an order of 2 mugs that is placed
      When its payment is captured
      Then the order is confirmed
      And no refunds are requested

    Scenario: A payment of another amount is a dead letter
      Given an order of 2 mugs that is awaiting payment
      When a payment of 2999.99 PKR is captured
      Then the order is awaiting payment
      And there is 1 dead letter
      When an operator discards the dead letter
      Then there are 0 dead letters

    Scenario Outline: A failed payment has no effect in any status
      Given an order of 2 mugs that is <stage>
      When its payment fails
      And the same event is published again
      Then the order is <stage>
      And there are <stock> mugs, <reserved> of them reserved
      And no refunds are requested

      Examples:
        | stage            | stock | reserved |
        | awaiting payment | 10    | 2        |
        | confirmed        | 8     | 0        |
        | shipped          | 8     | 0        |
        | delivered        | 8     | 0        |

    Scenario: A failed payment arrives before the reservation, and again after a capture
      Given an order of 2 mugs that is placed
      When its payment fails
      And its payment is captured
      And all events are processed
      And its payment fails
      Then the order is confirmed
      And no refunds are requested

    Scenario: A failed payment of a cancelled order has no effect
      Given an order of 2 mugs that is cancelled
      When its payment fails
      Then the order is cancelled because of customer
      And no refunds are requested

  Rule: An order that is not paid in time is cancelled

    Scenario Outline: The deadline is 45 minutes after the reservation
      Given an order of 2 mugs that is awaiting payment
      When <minutes> minutes pass
      Then <outcome>
      And there are 10 mugs, <reserved> of them reserved

      @moment
      Examples: before the deadline
        | minutes | outcome                       | reserved |
        | 44      | the order is awaiting payment | 2        |

      Examples: after the deadline, and after the reservation's expiry
        | minutes | outcome                                           | reserved |
        | 46      | the order is cancelled because of payment timeout | 0        |
        | 61      | the order is cancelled because of payment timeout | 0        |

    @moment
    Scenario: A failed payment does not end the order
      Given an order of 2 mugs that is awaiting payment
      When its payment fails
      And 44 minutes pass
      Then the order is awaiting payment
      When its payment is captured
      Then the order is confirmed

    Scenario: A failed payment after the deadline suggests no other attempt
      Given an order of 2 mugs that is timed out
      When its payment fails
      Then the timeline is
        | We've received your order and are checking stock.         |
        | Your items are reserved. Please complete your payment.    |
        | Your order was cancelled because it was not paid in time. |
        | Your payment failed (card declined).                      |

    Scenario: Payment and deadline at the same time
      Given an order of 2 mugs that is awaiting payment
      When its payment is captured
      And 46 minutes pass
      Then the order is confirmed
      And there are 8 mugs, 0 of them reserved
      And no refunds are requested

  Rule: A late payment reinstates the order, or is refunded

    Scenario: A late payment, and the units are available
      Given an order of 2 mugs that is timed out
      When its payment is captured
      Then the order is confirmed
      And there are 8 mugs, 0 of them reserved
      And no refunds are requested
      And the order has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderConfirmed

    Scenario: A late payment, and the units are gone
      Given an order of 2 mugs that is timed out
      When 9 of the mugs break
      And its payment is captured
      Then the order is cancelled because of no stock
      And 1 refund is requested
      And there are 1 mugs, 0 of them reserved

    Scenario Outline: The payment of a cancelled order is refunded
      Given an order of 2 mugs that is <stage>
      When the <who> cancels the order
      And its payment is captured
      Then the order is cancelled because of <who>
      And 1 refund is requested
      And there are 10 mugs, 0 of them reserved

      Examples:
        | stage            | who      |
        | awaiting payment | customer |
        | awaiting payment | admin    |
        | placed           | customer |

    Scenario: The payment of an order without enough stock is refunded
      Given an order of 4 teapots that is placed
      When its payment is captured
      Then the order is cancelled because of no stock
      And 1 refund is requested

    Scenario: Every capture of a cancelled order is refunded once
      Given an order of 2 mugs that is cancelled
      When its payment is captured as payment 1
      And the same event is published again
      And all events are processed
      And its payment is captured as payment 1
      And all events are processed
      And its payment is captured as payment 2
      Then 2 refunds are requested
      When its refund of 3000.00 PKR is completed
      Then the order is cancelled because of customer

  Rule: A cancellation refunds the payment and returns the units

    Scenario Outline: Cancelling in every status
      Given an order of 2 mugs that is <stage>
      When the customer cancels the order
      Then the response is <status>
      And there are <stock> mugs, 0 of them reserved
      And <refunds> refunds are requested
      And the ledger of the mugs sums to its stock

      Examples:
        | stage            | status                   | stock | refunds |
        | placed           | 200                      | 10    | no      |
        | awaiting payment | 200                      | 10    | no      |
        | confirmed        | 200                      | 10    | 1       |
        | shipped          | 409 INVALID_ORDER_STATUS | 8     | no      |
        | delivered        | 409 INVALID_ORDER_STATUS | 8     | no      |
        | cancelled        | 200                      | 10    | no      |

      Examples: too late
        | stage     | status | stock | refunds |
        | timed out | 200    | 10    | no      |

    Scenario: Another customer can't cancel, and does not learn that the order exists
      Given an order of 2 mugs that is awaiting payment
      When the other customer cancels the order
      Then the response is 404 ORDER_NOT_FOUND
      And the order is awaiting payment

    Scenario Outline: A transition that the status forbids changes nothing
      Given an order of 2 mugs that is <stage>
      When the admin <step> the order
      Then the response is 409 INVALID_ORDER_STATUS
      And the order is <stage>

      Examples:
        | stage            | step     |
        | awaiting payment | ships    |
        | awaiting payment | delivers |
        | confirmed        | delivers |
        | shipped          | ships    |
        | delivered        | ships    |

  Rule: The customer is charged the total that they confirmed

    Scenario: The price changes before the order is placed
      When the price of the mug changes to 1600.00 PKR
      And a customer who confirmed 3000.00 PKR orders 2 mugs
      Then the response is 409 TOTAL_CHANGED
      And the new total is 3200.00 PKR

    Scenario: The price changes after the order is placed
      Given an order of 2 mugs that is placed
      When the price of the mug changes to 1600.00 PKR
      And its payment is captured
      Then the order is confirmed
