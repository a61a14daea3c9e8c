Feature: What there is of a product
  Stock hangs on the product's id. On hand is what is in the warehouse, reserved what is promised to orders, available the
  rest. Every change is an entry of a ledger that is never changed, and that always sums to the stock.

  Rule: A product has a stock item from its creation on

    Scenario: A new product has none in stock
      When the product service publishes that the mug is created
      Then there are 0 mugs and 0 of them promised
      And the stock of the mug has published StockItemCreated

    Scenario: What is told twice makes one stock item
      When the product service publishes that the mug is created
      And the same event is published again
      Then there are 0 mugs and 0 of them promised
      And the stock of the mug has published StockItemCreated

    Scenario: A product that was never heard of gets its stock item when it is republished
      When the product service publishes that the mug is on sale
      Then there are 0 mugs and 0 of them promised
      And the stock of the mug has published StockItemCreated

    Scenario: Nothing is booked on a product that nobody knows
      When an admin receives 5 mugs
      Then the answer is 404 STOCK_ITEM_NOT_FOUND

  Rule: Units are received, and counts corrected, for a reason

    Scenario: What is received and what is corrected stands in the ledger
      Given 10 mugs in stock
      When an admin corrects the mugs by -3 because of "breakage"
      Then the answer is 201
      And there are 7 mugs and 0 of them promised
      And the ledger of the mugs is
        | kind     | on hand | promised |
        | received | 10      | 0        |
        | adjusted | -3      | 0        |
      And the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted

    Scenario: A repeated receipt books once
      Given 0 mugs in stock
      When an admin receives 5 mugs twice under one key
      Then there are 5 mugs and 0 of them promised

    Scenario Outline: What can't be is refused and books nothing
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      When all events are processed
      And an admin <asks>
      Then <refused>
      And there are 10 mugs and 4 of them promised

      Examples:
        | asks                                             | refused                           |
        | corrects the mugs by -7 because of "breakage"    | the answer is 409 INSUFFICIENT_STOCK |
        | corrects the mugs by 0 because of "nothing"      | it is refused for its delta       |
        | corrects the mugs by -1 because of ""            | it is refused for its reason      |
        | corrects the mugs by -1 because of " "           | it is refused for its reason      |
        | receives 0 mugs                                  | it is refused for its quantity    |
        | receives -1 mugs                                 | it is refused for its quantity    |
        | receives 1000001 mugs                            | it is refused for its quantity    |

  Rule: Anybody sees what can be ordered

    Scenario: What is promised can't be ordered, and of an unknown product there is none
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      Then a visitor sees that 6 mugs and 0 unicorns can be ordered

    Scenario: An archived product can't be ordered
      Given 10 mugs in stock
      And 3 teapots in stock
      When the product service publishes that the mug is archived
      Then a visitor sees that 0 mugs and 3 teapots can be ordered

  Rule: Somebody hears when the stock falls to its threshold, once each time

    Scenario: The stock falls, is filled and falls again
      Given 10 mugs in stock
      And the stock of the mug is low at 3
      When an admin corrects the mugs by -7 because of "breakage"
      And an admin corrects the mugs by -1 because of "breakage"
      And an admin receives 5 mugs
      And an admin corrects the mugs by -5 because of "breakage"
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted, StockAdjusted, StockLow, StockAdjusted, StockAdjusted, StockAdjusted, StockLow

    Scenario: What is promised makes the stock low, too
      Given 10 mugs in stock
      And the stock of the mug is low at 3
      When the order A of 7 mugs is placed
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockAdjusted, StockLow

    @alone
    Scenario: The state of all stock is told again
      Given 10 mugs in stock
      And the order A of 4 mugs was placed
      When all events are processed
      And an admin republishes the stock
      Then the stock of the mug has published StockItemCreated, StockAdjusted, StockItemRepublished
      And there are 10 mugs and 4 of them promised

    @alone
    Scenario: An admin sees what is low
      Given 10 mugs in stock
      And 3 teapots in stock
      When an admin lists what is low
      Then they find nothing
      When an admin says that the stock of the teapot is low at 3
      And an admin lists what is low
      Then they find the teapot
