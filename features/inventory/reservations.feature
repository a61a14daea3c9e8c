Feature: Reservations
  All units of an order are reserved, or none. They are committed when the order is paid, and released or returned when it is
  cancelled. Duplicate events have no effect.

  Background:
    Given 10 mugs in stock
    And 3 teapots in stock

  Rule: All lines of an order are reserved, or none

    Scenario: An order of available units is reserved
      When the order A of 2 mugs, 1 teapot is placed
      Then the reservation of A is reserved
      And there are 10 mugs, 2 of them reserved
      And there are 3 teapots, 1 of them reserved
      And A has published StockReserved

    Scenario: An order of more units than available is rejected with its shortages
      When the order A of 2 mugs, 4 teapots, 1 unicorn is placed
      Then the reservation of A is rejected
      And the shortages of A are
        | product | requested | available |
        | teapot  | 4         | 3         |
        | unicorn | 1         | 0         |
      And there are 10 mugs, 0 of them reserved
      And there are 3 teapots, 0 of them reserved

    Scenario Outline: Lines of the same product are summed
      When the order A of <one> mugs, <other> mugs is placed
      Then the reservation of A is <status>
      And there are 10 mugs, <reserved> of them reserved

      Examples:
        | one | other | status   | reserved |
        | 4   | 6     | reserved | 10       |
        | 5   | 6     | rejected | 0        |

    Scenario: The last units go to one order
      When the order A of 6 mugs is placed
      And all events are processed
      And the order B of 6 mugs is placed
      Then the reservation of A is reserved
      And the reservation of B is rejected
      And there are 10 mugs, 6 of them reserved

    Scenario: A duplicate event reserves once
      When the order A of 2 mugs is placed
      And the same event is published again
      Then there are 10 mugs, 2 of them reserved
      And A has published StockReserved

    Scenario: An archived product is not reservable, and its reservations remain
      Given the order A of 2 mugs was placed
      When all events are processed
      And the product service publishes that the mug is archived
      And all events are processed
      And the order B of 1 mug is placed
      Then the reservation of A is reserved
      And the reservation of B is rejected
      When the order A is confirmed
      Then there are 8 mugs, 0 of them reserved

  Rule: The units of a paid order are committed

    Scenario: Committed units leave the warehouse
      Given the order A of 2 mugs was placed
      When the order A is confirmed
      And the same event is published again
      Then the reservation of A is committed
      And A has published StockReserved, ReservationCommitted
      And the ledger of the mugs is
        | kind      | on hand | reserved |
        | received  | 10      | 0        |
        | reserved  | 0       | 2        |
        | committed | -2      | -2       |

  Rule: The units of a cancelled order are released or returned

    Scenario: Reserved units are released
      Given the order A of 2 mugs was placed
      When the order A is cancelled
      And the same event is published again
      Then the reservation of A is released
      And A has published StockReserved, ReservationReleased
      And the ledger of the mugs is
        | kind     | on hand | reserved |
        | received | 10      | 0        |
        | reserved | 0       | 2        |
        | released | 0       | -2       |

    Scenario: Committed units are returned
      Given the order A of 2 mugs was placed
      And the order A was confirmed
      When all events are processed
      And the order A is cancelled
      And the same event is published again
      Then the reservation of A is returned
      And A has published StockReserved, ReservationCommitted, ReservationReturned
      And the ledger of the mugs is
        | kind      | on hand | reserved |
        | received  | 10      | 0        |
        | reserved  | 0       | 2        |
        | committed | -2      | -2       |
        | returned  | 2       | 0        |

    Scenario: Confirmation and cancellation in any order leave the stock unchanged
      Given the order A of 2 mugs was placed
      When the order A is confirmed
      And the order A is cancelled
      Then there are 10 mugs, 0 of them reserved

    Scenario: Nothing is reserved for an order whose cancellation arrives first
      When an order of 2 mugs is cancelled before it is placed
      Then the reservation of Z is released
      And there are 10 mugs, 0 of them reserved

    Scenario: A cancelled reservation that was rejected stays rejected
      Given the order A of 11 mugs was placed
      When the order A is cancelled
      Then the reservation of A is rejected
      And there are 10 mugs, 0 of them reserved

  Rule: A reservation expires after 60 minutes, and a late payment renews it if the units are available

    @moment
    Scenario: Before the expiry the units are reserved
      Given the order A of 2 mugs was placed
      When 59 minutes pass
      Then the reservation of A is reserved

    Scenario: A reservation expires once
      Given the order A of 2 mugs was placed
      When 61 minutes pass
      And 61 minutes pass
      Then the reservation of A is expired
      And A has published StockReserved, ReservationExpired
      And there are 10 mugs, 0 of them reserved

    Scenario: The order is cancelled after the expiry
      Given the order A of 2 mugs was placed
      When 61 minutes pass
      And the order A is cancelled
      Then the reservation of A is expired
      And there are 10 mugs, 0 of them reserved

    Scenario Outline: The order is paid after the expiry
      Given the order A of <ordered> mugs was placed
      When 61 minutes pass
      And an admin corrects the mugs by <change> because of "count"
      And the order A is <event>
      Then the reservation of A is <status>
      And there are <on hand> mugs, <reserved> of them reserved

      Examples:
        | ordered | change | event      | status    | on hand | reserved |
        | 2       | -1     | confirmed  | committed | 7       | 0        |
        | 2       | -9     | confirmed  | rejected  | 1       | 0        |
        | 2       | -1     | reinstated | reserved  | 9       | 2        |
        | 2       | -9     | reinstated | rejected  | 1       | 0        |

  Rule: A reinstated order is reserved again

    Scenario: The units are still available
      Given the order A of 2 mugs was placed
      And the order A was cancelled
      When all events are processed
      And the order A is reinstated
      And the same event is published again
      Then the reservation of A is reserved
      And A has published StockReserved, ReservationReleased, StockReserved
      And there are 10 mugs, 2 of them reserved
