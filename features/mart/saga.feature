Feature: An order between order, inventory and payment
  Whatever comes first, twice or late: money, stock and order agree in the end.

  Background:
    Given 10 mugs in stock for 1500.00 PKR each
    And 3 teapots in stock for 4000.00 PKR each

  Rule: All of an order is put aside, or nothing

    Scenario: An order of what is there awaits payment
      When a customer orders 2 mugs, 1 teapot
      Then the order is awaiting payment
      And there are 10 mugs and 2 of them promised
      And there are 3 teapots and 1 of them promised
      And the order has published OrderPlaced, OrderAwaitingPayment

    Scenario Outline: An order of more than there is gets nothing
      When a customer orders <lines>
      Then the order is cancelled because of no stock
      And there are 10 mugs and 0 of them promised
      And there are 3 teapots and 0 of them promised
      And no refunds are asked for

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
      Then there are 10 mugs and 6 of them promised
      And the ledger of the mugs sums to its stock

    Scenario: An archived product is not put aside any more
      Given an order of 1 mug that is placed
      When the mug is archived
      And all events are processed
      And a customer orders 1 mug
      Then the answer is 409 LINES_REJECTED
      And the line of the mug is refused because it is not on sale

  Rule: A paid order is sold, and its units leave the stock

    Scenario: From the basket to the door
      Given an order of 2 mugs that is awaiting payment
      When its payment is captured
      Then the order is confirmed
      And there are 8 mugs and 0 of them promised
      When the admin ships the order
      Then the order is shipped
      When the admin delivers the order
      Then the order is delivered
      And the order has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderShipped, OrderDelivered
      And the ledger of the mugs sums to its stock

    Scenario: What the customer reads
      Given an order of 2 mugs that is awaiting payment
      When its payment fails
      And all events are processed
      And its payment is captured
      And all events are processed
      And the customer changes the address
      And the admin ships the order
      Then the customer reads
        | We have your order and look for its products.                |
        | Your products are put aside. Please pay.                     |
        | Your payment failed (card declined). You may try again.      |
        | Your order is paid and will be sent.                         |
        | The address or contact of your order was changed.            |
        | Your order is on its way with TCS, number 77.                |

    Scenario Outline: A word of payment that comes twice has its effect once
      Given an order of 2 mugs that is <stage>
      When its payment is captured
      And the same event is published again
      Then the order is confirmed
      And there are 8 mugs and 0 of them promised
      And <refunds> refunds are asked for

      Examples:
        | stage            | refunds |
        | placed           | no      |
        | awaiting payment | no      |

      Examples: late
        | stage     | refunds |
        | timed out | no      |

    Scenario: Money that comes before the stock is put aside waits for it
      Given an order of 2 mugs that is placed
      When its payment is captured
      Then the order is confirmed
      And no refunds are asked for

    Scenario: Another sum than the total pays nothing
      Given an order of 2 mugs that is awaiting payment
      When a payment of 2999.99 PKR is captured
      Then the order is awaiting payment
      And 1 record is dead
      When an operator throws it away
      Then 0 records are dead

    Scenario Outline: An attempt that failed changes nothing, whenever and however often it is told
      Given an order of 2 mugs that is <stage>
      When its payment fails
      And the same event is published again
      Then the order is <stage>
      And there are <stock> mugs and <promised> of them promised
      And no refunds are asked for

      Examples:
        | stage            | stock | promised |
        | awaiting payment | 10    | 2        |
        | confirmed        | 8     | 0        |
        | shipped          | 8     | 0        |
        | delivered        | 8     | 0        |

    Scenario: A failed attempt that is heard of before the stock is put aside, and after the capture of a later one
      Given an order of 2 mugs that is placed
      When its payment fails
      And its payment is captured
      And all events are processed
      And its payment fails
      Then the order is confirmed
      And no refunds are asked for

    Scenario: An attempt that fails for an order that was cancelled
      Given an order of 2 mugs that is cancelled
      When its payment fails
      Then the order is cancelled because of customer
      And no refunds are asked for

  Rule: An order that is not paid in time ends

    Scenario Outline: The deadline is 45 minutes after the stock was put aside
      Given an order of 2 mugs that is awaiting payment
      When <minutes> minutes pass
      Then <outcome>
      And there are 10 mugs and <promised> of them promised

      @moment
      Examples: just before
        | minutes | outcome                       | promised |
        | 44      | the order is awaiting payment | 2        |

      Examples: after it, and after the reservation's end
        | minutes | outcome                                           | promised |
        | 46      | the order is cancelled because of payment timeout | 0        |
        | 61      | the order is cancelled because of payment timeout | 0        |

    @moment
    Scenario: An attempt that fails ends nothing
      Given an order of 2 mugs that is awaiting payment
      When its payment fails
      And 44 minutes pass
      Then the order is awaiting payment
      When its payment is captured
      Then the order is confirmed

    Scenario: An attempt that fails after the deadline invites to no other
      Given an order of 2 mugs that is timed out
      When its payment fails
      Then the customer reads
        | We have your order and look for its products.              |
        | Your products are put aside. Please pay.                   |
        | Your order was cancelled, because it was not paid in time. |
        | Your payment failed (card declined).                       |

    Scenario: Money and deadline at the same moment
      Given an order of 2 mugs that is awaiting payment
      When its payment is captured
      And 46 minutes pass
      Then the order is confirmed
      And there are 8 mugs and 0 of them promised
      And no refunds are asked for

  Rule: Late money buys the order back, or goes back itself

    Scenario: Late money for units that are still there
      Given an order of 2 mugs that is timed out
      When its payment is captured
      Then the order is confirmed
      And there are 8 mugs and 0 of them promised
      And no refunds are asked for
      And the order has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderConfirmed

    Scenario: Late money for units that are gone
      Given an order of 2 mugs that is timed out
      When 9 of the mugs break
      And its payment is captured
      Then the order is cancelled because of no stock
      And 1 refund is asked for
      And there are 1 mugs and 0 of them promised

    Scenario Outline: Money for an order that was cancelled goes back
      Given an order of 2 mugs that is <stage>
      When the <who> cancels the order
      And its payment is captured
      Then the order is cancelled because of <who>
      And 1 refund is asked for
      And there are 10 mugs and 0 of them promised

      Examples:
        | stage            | who      |
        | awaiting payment | customer |
        | awaiting payment | admin    |
        | placed           | customer |

    Scenario: Money for an order that lacks stock goes back
      Given an order of 4 teapots that is placed
      When its payment is captured
      Then the order is cancelled because of no stock
      And 1 refund is asked for

    Scenario: Every capture of a cancelled order is asked back, each once
      Given an order of 2 mugs that is cancelled
      When its payment is captured as payment 1
      And the same event is published again
      And all events are processed
      And its payment is captured as payment 1
      And all events are processed
      And its payment is captured as payment 2
      Then 2 refunds are asked for
      When its refund of 3000.00 PKR is done
      Then the order is cancelled because of customer

  Rule: Who cancels gets his money and the shop its units back

    Scenario Outline: Cancelling in every stage
      Given an order of 2 mugs that is <stage>
      When the customer cancels the order
      Then the answer is <status>
      And there are <stock> mugs and 0 of them promised
      And <refunds> refunds are asked for
      And the ledger of the mugs sums to its stock

      Examples:
        | stage            | status             | stock | refunds |
        | placed           | 200                | 10    | no      |
        | awaiting payment | 200                | 10    | no      |
        | confirmed        | 200                | 10    | 1       |
        | shipped          | 409 INVALID_ORDER_STATUS | 8     | no      |
        | delivered        | 409 INVALID_ORDER_STATUS | 8     | no      |
        | cancelled        | 200                | 10    | no      |

      Examples: too late
        | stage     | status | stock | refunds |
        | timed out | 200    | 10    | no      |

    Scenario: Another customer can't cancel, and does not learn that there is an order
      Given an order of 2 mugs that is awaiting payment
      When the other customer cancels the order
      Then the answer is 404 ORDER_NOT_FOUND
      And the order is awaiting payment

    Scenario Outline: A step that comes too early or too late is refused and changes nothing
      Given an order of 2 mugs that is <stage>
      When the admin <step> the order
      Then the answer is 409 INVALID_ORDER_STATUS
      And the order is <stage>

      Examples:
        | stage            | step     |
        | awaiting payment | ships    |
        | awaiting payment | delivers |
        | confirmed        | delivers |
        | shipped          | ships    |
        | delivered        | ships    |

  Rule: The customer pays what he saw

    Scenario: A price that changed after the customer saw it
      When the price of the mug changes to 1600.00 PKR
      And a customer who saw 3000.00 PKR orders 2 mugs
      Then the answer is 409 TOTAL_CHANGED
      And the new total is 3200.00 PKR

    Scenario: A price that changes after the order was placed
      Given an order of 2 mugs that is placed
      When the price of the mug changes to 1600.00 PKR
      And its payment is captured
      Then the order is confirmed
