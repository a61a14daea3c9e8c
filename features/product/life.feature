Feature: Status of a product
  A product is a draft, then active, then archived, and never goes back. Customers see active products only.

  Scenario: Only admins see a draft
    When the admin creates the draft "Red mug" for 1500.00 PKR
    Then the admin sees "Red mug" as a draft
    And customers cannot see "Red mug"
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: A draft is activated
    Given the draft "Red mug" for 1500.00 PKR
    When the admin activates "Red mug"
    Then customers see "Red mug" for 1500.00 PKR
    And customers find it by its slug "red-mug" in any case
    And the mart has published
      | ProductActivated | Red mug |

  Scenario: A product is created as active
    When the admin creates the product "Red mug" for 1500.00 PKR
    Then customers see "Red mug" for 1500.00 PKR
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: An active product is archived
    Given the product "Red mug" for 1500.00 PKR
    When the admin archives "Red mug"
    Then the admin sees "Red mug" as archived
    And customers cannot see "Red mug"
    And the mart has published
      | ProductArchived | Red mug |

  Scenario Outline: Other transitions are rejected
    Given the <before> "Red mug" for 1500.00 PKR
    When the admin <action> "Red mug"
    Then the request is rejected as <reason>
    And the admin sees "Red mug" as <before>
    And the mart has published nothing

    Examples:
      | before           | action    | reason             |
      | draft            | archives  | PRODUCT_NOT_ACTIVE |
      | archived product | activates | PRODUCT_ARCHIVED   |

  Scenario Outline: A repeated transition changes nothing
    Given the <before> "Red mug" for 1500.00 PKR
    When the admin <action> "Red mug"
    Then it succeeds
    And the mart has published nothing

    Examples:
      | before           | action    |
      | product          | activates |
      | archived product | archives  |

  Scenario: An archived product cannot be changed
    Given the archived product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | name | Blue mug |
    Then the request is rejected as PRODUCT_ARCHIVED
    And the mart has published nothing

  Scenario Outline: Only admins change the catalog
    Given the product "Red mug" for 1500.00 PKR
    When a customer <action> "Red mug"
    Then the request is rejected as FORBIDDEN
    And the mart has published nothing

    Examples:
      | action    |
      | archives  |
      | activates |
