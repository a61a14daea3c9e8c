Feature: The transitions of an order
  An order is placed, awaits its payment, and is confirmed, shipped and delivered. It can be cancelled by the customer, by an admin,
  for missing stock, or because it was not paid in time. docs/order-life.md shows every transition.

  Background:
    Given the mug for 1500.00 PKR
    And Ayesha has placed the order A of 2 mugs

  Rule: Reservation and payment advance the order, each once

    Scenario: From placed to delivered
      When the stock of A is reserved
      Then A is awaiting payment
      When A is paid
      Then A is confirmed
      When the admin ships A with "TCS", number "77"
      Then A is shipped
      When the admin delivers A
      Then A is delivered
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderShipped, OrderDelivered

    Scenario: An order without enough stock is cancelled
      When the stock of A is insufficient
      Then A is cancelled because of no stock
      And A has published OrderPlaced, OrderCancelled

    Scenario: An expired reservation cancels an unpaid order
      Given the stock of A was reserved
      When the reservation of A expires
      Then A is cancelled because of payment timeout

    Scenario: After a failed payment the order still awaits its payment
      Given the stock of A was reserved
      When a payment of A fails
      And the same event is published again
      Then A is awaiting payment
      When A is paid
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed

    Scenario: A payment of another amount is a dead letter
      Given the stock of A was reserved
      When A is paid with 2999.99 PKR
      Then A is awaiting payment
      And there is 1 dead letter
      When an operator discards the dead letter
      Then there are 0 dead letters

    Scenario: A second capture has no effect, because payment refunds it itself
      Given the stock of A was reserved
      And A was paid
      When A is paid
      And the same event is published again
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed

  Rule: An order that is not paid within 45 minutes is cancelled

    @moment
    Scenario: Before the deadline the order awaits its payment
      Given the stock of A was reserved
      When 44 minutes pass
      Then A is awaiting payment

    Scenario: After the deadline the order is cancelled once
      Given the stock of A was reserved
      When 46 minutes pass
      And 46 minutes pass
      Then A is cancelled because of payment timeout
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled

    Scenario: A late payment reinstates the order
      Given the stock of A was reserved
      When 46 minutes pass
      And A is paid
      And the stock of A is reserved
      Then A is confirmed
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderConfirmed

    Scenario: A late payment is refunded if the stock is gone
      Given the stock of A was reserved
      When 46 minutes pass
      And A is paid
      And the stock of A is insufficient
      Then A is cancelled because of no stock
      And A has published OrderPlaced, OrderAwaitingPayment, OrderCancelled, OrderReinstated, OrderCancelled, RefundRequested

  Rule: A customer or an admin may cancel until the order is shipped

    Scenario Outline: A repeated cancellation has no effect
      When <who> cancels A
      Then the response is 200
      And A is cancelled because of <reason>
      When <who> cancels A
      Then the response is 200
      And A has published OrderPlaced, OrderCancelled

      Examples:
        | who       | reason   |
        | Ayesha    | customer |
        | the admin | admin    |

    Scenario: The payment of a cancelled order is refunded
      Given the stock of A was reserved
      And A was paid
      When Ayesha cancels A
      Then A is cancelled because of customer
      And A has published OrderPlaced, OrderAwaitingPayment, OrderConfirmed, OrderCancelled, RefundRequested

    Scenario: A shipped order can't be cancelled
      Given the stock of A was reserved
      And A was paid
      And the admin has shipped A
      When Ayesha cancels A
      Then the response is 409 INVALID_ORDER_STATUS
      And A is shipped

  Rule: Address and contact may be changed until the order is shipped

    Scenario: Each change is published
      When Ayesha changes the city of A to Karachi
      Then the response is 200
      And the city of the order is Karachi
      When Ayesha changes the mail of A to b@example.com
      Then the response is 200
      And A has published OrderPlaced, OrderChanged, OrderChanged

    Scenario: An invalid email address is rejected
      When Ayesha changes the mail of A to not-an-email
      Then the request is invalid at contact.email
      And A has published OrderPlaced

    Scenario: A shipped order can't be changed
      Given the stock of A was reserved
      And A was paid
      And the admin has shipped A
      When Ayesha changes the city of A to Karachi
      Then the response is 409 INVALID_ORDER_STATUS

  Rule: Only an admin ships and delivers, with carrier and tracking number

    Scenario Outline: Carrier and tracking number are required
      Given the stock of A was reserved
      And A was paid
      When the admin ships A with "<carrier>", number "<number>"
      Then the request is invalid at <path>
      And A is confirmed

      Examples:
        | carrier | number | path           |
        |         | 77     | carrier        |
        | TCS     |        | trackingNumber |

    Scenario: A customer can't deliver
      Given the stock of A was reserved
      And A was paid
      And the admin has shipped A
      When Ayesha delivers A
      Then the response is 403 FORBIDDEN
      And A is shipped
