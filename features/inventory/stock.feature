Feature: Stock items and the ledger
  A stock item has the product's id. On hand are the units in the warehouse, reserved those for orders, available the others. Every
  change has an entry in the append-only ledger, whose sum is the stock.

  Rule: Every product has a stock item

    Scenario: A new product has no stock
      When the product service publishes that the mug is created
      Then there are 0 mugs, 0 of them reserved
      And the stock of the mug has published StockItemCreated

    Scenario: A duplicate event creates one stock item
      When the product service publishes that the mug is created
      And the same event is published again
      Then there are 0 mugs, 0 of them reserved
      And the stock of the mug has published StockItemCreated

    Scenario: A republished product gets its missing stock item
      When the product service publishes that the mug is on sale
      Then there are 0 mugs, 0 of them reserved
      And the stock of the mug has published StockItemCreated

    Scenario: An unknown product has no stock item
      When an admin receives 5 mugs
      Then the response is 404 STOCK_ITEM_NOT_FOUND

  Rule: Units are received and counts are corrected, with a reason

    Scenario: Receipts and corrections are in the ledger
      Given 10 mugs in stock
      When an admin corrects the mugs by -3 because of "breakage"
      Then the response is 201
      And there are 7 mugs, 0 of them reserved
      And the ledger of the mugs is
        | kind     | on hand | reserved |
        | received | 10      | 0        |
        | adjusted | -3      | 0        |
      And the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted

    Scenario: A repeated request books once
      Given 0 mugs in stock
      When an admin receives 5 mugs twice with the same key
      Then there are 5 mugs, 0 of them reserved

    Scenario Outline: An invalid change is rejected and books nothing
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      When all events are processed
      And an admin <request>
      Then <outcome>
      And there are 10 mugs, 4 of them reserved

      Examples:
        | request                                       | outcome                                |
        | corrects the mugs by -7 because of "breakage" | the response is 409 INSUFFICIENT_STOCK |
        | corrects the mugs by 0 because of "nothing"   | the request is invalid at delta        |
        | corrects the mugs by -1 because of ""         | the request is invalid at reason       |
        | corrects the mugs by -1 because of " "        | the request is invalid at reason       |
        | receives 0 mugs                               | the request is invalid at quantity     |
        | receives -1 mugs                              | the request is invalid at quantity     |
        | receives 1000001 mugs                         | the request is invalid at quantity     |

  Rule: The availability is public

    Scenario: Reserved units and unknown products are not available
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      Then 6 mugs and 0 unicorns are available to a visitor

    Scenario: An archived product is not available
      Given 10 mugs in stock
      And 3 teapots in stock
      When the product service publishes that the mug is archived
      Then 0 mugs and 3 teapots are available to a visitor

  Rule: StockLow is published once each time the stock falls to its threshold

    Scenario: The stock falls, is filled up and falls again
      Given 10 mugs in stock
      And the low-stock threshold of the mug is 3
      When an admin corrects the mugs by -7 because of "breakage"
      And an admin corrects the mugs by -1 because of "breakage"
      And an admin receives 5 mugs
      And an admin corrects the mugs by -5 because of "breakage"
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted, StockAdjusted, StockLow, StockAdjusted, StockAdjusted, StockAdjusted, StockLow

    Scenario: Reservations lower the available stock
      Given 10 mugs in stock
      And the low-stock threshold of the mug is 3
      When the order A of 7 mugs is placed
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted, StockLow

    @alone
    Scenario: The state of all stock items is republished
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      When all events are processed
      And an admin republishes the stock
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockItemRepublished
      And there are 10 mugs, 4 of them reserved

    @alone
    Scenario: An admin lists the low stock
      Given 10 mugs in stock
      And 3 teapots in stock
      When an admin lists the low stock
      Then the list is empty
      When an admin sets the low-stock threshold of the teapot to 3
      And an admin lists the low stock
      Then the list has the teapot
