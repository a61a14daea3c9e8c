Feature: The life of a product
  A product goes from draft to active to archived and never back. Customers see it only while it is active.

  Scenario: A draft is seen by admins only
    When the admin creates the draft "Red mug" for 1500.00 PKR
    Then the admin sees "Red mug" as a draft
    And customers can not see "Red mug"
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: A draft goes on sale
    Given the draft "Red mug" for 1500.00 PKR
    When the admin activates "Red mug"
    Then customers see "Red mug" for 1500.00 PKR
    And customers see it by its address "red-mug", in any case
    And the mart has published
      | ProductActivated | Red mug |

  Scenario: A product can be created on sale
    When the admin creates the product "Red mug" for 1500.00 PKR
    Then customers see "Red mug" for 1500.00 PKR
    And the mart has published
      | ProductCreated | Red mug |

  Scenario: A product goes off sale for good
    Given the product "Red mug" for 1500.00 PKR
    When the admin archives "Red mug"
    Then the admin sees "Red mug" as archived
    And customers can not see "Red mug"
    And the mart has published
      | ProductArchived | Red mug |

  Scenario Outline: There is no way back
    Given the <before> "Red mug" for 1500.00 PKR
    When the admin <step> "Red mug"
    Then it is refused as <reason>
    And the admin sees "Red mug" as <before>
    And the mart has published nothing

    Examples:
      | before           | step      | reason             |
      | draft            | archives  | PRODUCT_NOT_ACTIVE |
      | archived product | activates | PRODUCT_ARCHIVED   |

  Scenario Outline: Who asks for what is so already changes nothing
    Given the <before> "Red mug" for 1500.00 PKR
    When the admin <step> "Red mug"
    Then it is done
    And the mart has published nothing

    Examples:
      | before           | step      |
      | product          | activates |
      | archived product | archives  |

  Scenario: An archived product is not changed any more
    Given the archived product "Red mug" for 1500.00 PKR
    When the admin changes "Red mug"
      | name | Blue mug |
    Then it is refused as PRODUCT_ARCHIVED
    And the mart has published nothing

  Scenario Outline: Only admins change the catalog
    Given the product "Red mug" for 1500.00 PKR
    When a customer <step> "Red mug"
    Then it is refused as FORBIDDEN
    And the mart has published nothing

    Examples:
      | step      |
      | archives  |
      | activates |
