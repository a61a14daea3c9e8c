Feature: Notifications to customers

  Rule: A customer receives each notification once, even if its event is published again

    Scenario: Each step of an order is mailed
      Given an order with an email address
      When the order is placed
      And the order is paid
      And the order is shipped
      And the order is delivered
      Then these notifications are sent
        | PLACED    | MAIL |
        | PAID      | MAIL |
        | SHIPPED   | MAIL |
        | DELIVERED | MAIL |

    Scenario: Shipment and cancellation are also sent by text message
      Given an order with an email address and a phone number
      When the order is placed
      And the order is shipped
      And the order is cancelled
      Then these notifications are sent
        | PLACED    | MAIL |
        | SHIPPED   | MAIL |
        | SHIPPED   | SMS  |
        | CANCELLED | MAIL |
        | CANCELLED | SMS  |

    Scenario: The payment of a reinstated order is mailed
      Given an order with an email address
      When the order is placed
      And the order is cancelled
      And the order is paid after it was reinstated
      Then these notifications are sent
        | PLACED    | MAIL |
        | CANCELLED | MAIL |
        | PAID      | MAIL |

    Scenario: Each partial refund is mailed
      Given an order with an email address
      When the order is placed
      And a part of its payment is refunded
      And a part of its payment is refunded
      Then these notifications are sent
        | PLACED   | MAIL |
        | REFUNDED | MAIL |
        | REFUNDED | MAIL |

    Scenario: A payment fails before the order is known
      Given an order with an email address
      When its payment fails
      And the order is placed
      Then these notifications are sent
        | PLACED | MAIL |
        | FAILED | MAIL |

    Scenario: Mails go to the latest contact
      Given an order with an email address
      When the order is placed
      Then these notifications are sent
        | PLACED | MAIL |
      When the email address of the order is changed
      And the order is paid
      Then the PAID mail is sent to the new email address

  Rule: Links are sent to the email address that they are for

    Scenario Outline: A link is mailed once
      When a <link> link is published for an email address
      Then one <kind> mail is sent to that email address

      Examples:
        | link         | kind         |
        | verification | REGISTRATION |
        | reset        | RESET        |

  Rule: A customer can disable optional notifications and enable others

    Scenario: A disabled mail is suppressed
      Given an order with an email address
      And the customer disables DELIVERED by MAIL
      When the order is placed
      And the order is delivered
      Then these notifications are sent
        | PLACED | MAIL |
      And DELIVERED by MAIL is suppressed

    Scenario: An enabled text message is sent
      Given an order with an email address and a phone number
      And the customer enables PAID by SMS
      When the order is paid
      Then these notifications are sent
        | PAID | MAIL |
        | PAID | SMS  |

    Scenario Outline: A mandatory mail can't be disabled
      When the customer disables <kind> by MAIL
      Then the response is 409 PREFERENCE_FIXED

      Examples:
        | kind         |
        | REGISTRATION |
        | RESET        |
        | PLACED       |
        | PAID         |
        | CANCELLED    |
        | REFUNDED     |

    Scenario: A link can't be sent by text message
      When the customer enables RESET by SMS
      Then the response is 409 PREFERENCE_FIXED

    Scenario: Each kind has a preference for each channel
      When the customer reads their preferences
      Then there are 18 preferences, 8 of them fixed

  Rule: An admin can resend a failed notification

    Scenario: A rejected mail fails and is resent
      Given an order with an email address that the mail server rejects
      When the order is placed
      Then PLACED by MAIL has failed
      When an admin resends the notification
      Then the second attempt fails

    Scenario: A sent mail is not resent
      Given an order with an email address
      When the order is placed
      Then these notifications are sent
        | PLACED | MAIL |
      When an admin resends the notification
      Then the response is 409 NOTIFICATION_NOT_FAILED

    Scenario: A missing notification is not found
      When an admin resends a notification that does not exist
      Then the response is 404 NOTIFICATION_NOT_FOUND
