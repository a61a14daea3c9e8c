Feature: What is promised to orders
  An order's units are promised all or none, sold when it is paid, and free again when it ends. Each step is taken once,
  whatever is told twice.

  Background:
    Given 10 mugs in stock
    And 3 teapots in stock

  Rule: All of an order is promised, or nothing

    Scenario: An order of what is there
      When the order A of 2 mugs, 1 teapot is placed
      Then the reservation of A is reserved
      And there are 10 mugs and 2 of them promised
      And there are 3 teapots and 1 of them promised
      And A has published StockReserved

    Scenario: An order of more than is there gets nothing, and hears what lacks
      When the order A of 2 mugs, 4 teapots, 1 unicorn is placed
      Then the reservation of A is rejected
      And A lacks
        | product | wanted | there |
        | teapot  | 4      | 3     |
        | unicorn | 1      | 0     |
      And there are 10 mugs and 0 of them promised
      And there are 3 teapots and 0 of them promised

    Scenario Outline: The same product on two lines is summed
      When the order A of <one> mugs, <other> mugs is placed
      Then the reservation of A is <status>
      And there are 10 mugs and <promised> of them promised

      Examples:
        | one | other | status   | promised |
        | 4   | 6     | reserved | 10       |
        | 5   | 6     | rejected | 0        |

    Scenario: The last units go to one order
      When the order A of 6 mugs is placed
      And all events are processed
      And the order B of 6 mugs is placed
      Then the reservation of A is reserved
      And the reservation of B is rejected
      And there are 10 mugs and 6 of them promised

    Scenario: What is told twice is promised once
      When the order A of 2 mugs is placed
      And the same event is published again
      Then there are 10 mugs and 2 of them promised
      And A has published StockReserved

    Scenario: An archived product is promised to nobody, and what is promised stays so
      Given the order A of 2 mugs was placed
      When all events are processed
      And the product service publishes that the mug is archived
      And all events are processed
      And the order B of 1 mug is placed
      Then the reservation of A is reserved
      And the reservation of B is rejected
      When the order A is confirmed
      Then there are 8 mugs and 0 of them promised

  Rule: A paid order's units are sold

    Scenario: Units leave the warehouse
      Given the order A of 2 mugs was placed
      When the order A is confirmed
      And the same event is published again
      Then the reservation of A is committed
      And A has published StockReserved, ReservationCommitted
      And the ledger of the mugs is
        | kind      | on hand | promised |
        | received  | 10      | 0        |
        | reserved  | 0       | 2        |
        | committed | -2      | -2       |

  Rule: A cancelled order's units are free again, or come back

    Scenario: What was promised is free
      Given the order A of 2 mugs was placed
      When the order A is cancelled
      And the same event is published again
      Then the reservation of A is released
      And A has published StockReserved, ReservationReleased
      And the ledger of the mugs is
        | kind     | on hand | promised |
        | received | 10      | 0        |
        | reserved | 0       | 2        |
        | released | 0       | -2       |

    Scenario: What was sold comes back
      Given the order A of 2 mugs was placed
      And the order A was confirmed
      When all events are processed
      And the order A is cancelled
      And the same event is published again
      Then the reservation of A is returned
      And A has published StockReserved, ReservationCommitted, ReservationReturned
      And the ledger of the mugs is
        | kind      | on hand | promised |
        | received  | 10      | 0        |
        | reserved  | 0       | 2        |
        | committed | -2      | -2       |
        | returned  | 2       | 0        |

    Scenario: Whether the sale or the cancellation is heard of first, the units are there in the end
      Given the order A of 2 mugs was placed
      When the order A is confirmed
      And the order A is cancelled
      Then there are 10 mugs and 0 of them promised

    Scenario: Nothing is promised to an order that was cancelled before it was heard of
      When an order of 2 mugs is cancelled before it is placed
      Then the reservation of Z is released
      And there are 10 mugs and 0 of them promised

    Scenario: A rejected order that is cancelled stays as it is
      Given the order A of 11 mugs was placed
      When the order A is cancelled
      Then the reservation of A is rejected
      And there are 10 mugs and 0 of them promised

  Rule: A promise ends after 60 minutes, and a late payment makes it again where the units are still there

    @moment
    Scenario: Just before it ends
      Given the order A of 2 mugs was placed
      When 59 minutes pass
      Then the reservation of A is reserved

    Scenario: It ends once
      Given the order A of 2 mugs was placed
      When 61 minutes pass
      And 61 minutes pass
      Then the reservation of A is expired
      And A has published StockReserved, ReservationExpired
      And there are 10 mugs and 0 of them promised

    Scenario: The order is cancelled after it has ended
      Given the order A of 2 mugs was placed
      When 61 minutes pass
      And the order A is cancelled
      Then the reservation of A is expired
      And there are 10 mugs and 0 of them promised

    Scenario Outline: It ended, and the order is paid after all
      Given the order A of <wanted> mugs was placed
      When 61 minutes pass
      And an admin corrects the mugs by <change> because of "count"
      And the order A is <told>
      Then the reservation of A is <status>
      And there are <on hand> mugs and <promised> of them promised

      Examples:
        | wanted | change | told       | status    | on hand | promised |
        | 2      | -1     | confirmed  | committed | 7       | 0        |
        | 2      | -9     | confirmed  | rejected  | 1       | 0        |
        | 2      | -1     | reinstated | reserved  | 9       | 2        |
        | 2      | -9     | reinstated | rejected  | 1       | 0        |

  Rule: An order that ran out of time and is paid gets its units once more

    Scenario: The units are still there
      Given the order A of 2 mugs was placed
      And the order A was cancelled
      When all events are processed
      And the order A is reinstated
      And the same event is published again
      Then the reservation of A is reserved
      And A has published StockReserved, ReservationReleased, StockReserved
      And there are 10 mugs and 2 of them promised
