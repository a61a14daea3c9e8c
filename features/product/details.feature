Feature: What is said of a product
  A product has a name, an address and at least one price. SKU and address are unique without regard to case, also against
  archived products. A SKU may be missing.

  Scenario: A SKU and an address are taken for ever
    Given the archived product "Red mug" for 1500.00 PKR
    When the admin creates a product
      | name  | Another mug |
      | slug  | RED-MUG     |
      | price | 900.00 PKR  |
    Then it is refused as SLUG_TAKEN
    When the admin creates a product
      | name  | Another mug |
      | sku   | red mug-1   |
      | price | 900.00 PKR  |
    Then it is refused as SKU_TAKEN

  Scenario: Many products may have no SKU
    When the admin creates a product
      | name  | First mug  |
      | sku   |            |
      | price | 900.00 PKR |
    Then it is done
    When the admin creates a product
      | name  | Second mug |
      | sku   |            |
      | price | 900.00 PKR |
    Then it is done

  Scenario Outline: What breaks a rule is refused with the place and the rule
    When the admin creates a product
      | name     | Red mug    |
      | slug     | red-mug    |
      | price    | 900.00 PKR |
      | <member> | <value>    |
    Then it is refused for its <place>
    And the mart has published nothing

    Examples: names and addresses
      | member | value     | place |
      | name   |           | name  |
      | slug   |           | slug  |
      | slug   | red mug   | slug  |
      | slug   | red--mug  | slug  |
      | slug   | -red      | slug  |
      | slug   | café      | slug  |

    Examples: prices
      | member | value                   | place                  |
      | price  |                         | prices                 |
      | price  | 0.00 PKR                | prices[0].amount       |
      | price  | -5.00 PKR               | prices[0].amount       |
      | price  | 900 PKR                 | prices[0].amount       |
      | price  | 900.000 PKR             | prices[0].amount       |
      | price  | 900.50 JPY              | prices[0].amount       |
      | price  | 900.00 ABC              | prices[0].currencyCode |
      | price  | 900.00 PKR, 950.00 PKR  | prices[1].currencyCode |

    Examples: the rest
      | member    | value                    | place             |
      | attribute | size=small, size=large   | attributes[1].key |
      | image     | ftp://a.example/mug.png  | imageUrls[0]      |
      | status    | ARCHIVED                 | status            |

  Scenario: All faults are told at once
    When the admin creates a product
      | name  |           |
      | slug  | no good   |
      | price | 1 PKR     |
    Then it is refused for its slug, name and prices[0].amount

  Scenario Outline: A price has exactly the digits of its currency
    When the admin creates the product "Red mug" for <price>
    Then customers see "Red mug" for <price>

    Examples:
      | price                |
      | 0.01 PKR             |
      | 1500 JPY             |
      | 1.500 KWD            |
      | 9999999999999.99 PKR |

  Scenario Outline: A price has at most fifteen digits, so that no sum of an order overflows
    When the admin creates a product
      | name  | Palace  |
      | slug  | palace  |
      | price | <price> |
    Then it is refused for its prices[0].amount

    Examples:
      | price                    |
      | 10000000000000.00 PKR    |
      | 92233720368547758.07 PKR |

  Scenario: A change of details and one of prices are told apart
    Given the product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | description | Stoneware              |
      | price       | 1600.00 PKR, 5.99 USD  |
    Then customers see "Red mug" for 1600.00 PKR, 5.99 USD
    And the mart has published
      | ProductUpdated      | Red mug |
      | ProductPriceChanged | Red mug |

  Scenario: What is the same already is no change
    Given the product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | price | 1500.00 PKR |
    Then it is done
    And the mart has published nothing

  Scenario: A change of what somebody else has changed meanwhile is refused
    Given the product "Red mug" for 1500.00 PKR
    And the admin has read "Red mug"
    And the admin has changed "Red mug"
      | description | By somebody else |
    When the admin changes what was read of "Red mug"
      | description | Overwritten |
    Then it is refused as ETAG_MISMATCH
    And the mart has published nothing

  Scenario: A repeated creation is one
    When the admin creates the product "Red mug" for 1500.00 PKR under the key "k1"
    And the admin creates the product "Red mug" for 1500.00 PKR under the key "k1"
    Then it is done
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: A key is for one request
    Given the admin has created the product "Red mug" for 1500.00 PKR under the key "k1"
    When the admin creates the product "Blue mug" for 1500.00 PKR under the key "k1"
    Then it is refused as IDEMPOTENCY_KEY_REUSED
    And the mart has published nothing
