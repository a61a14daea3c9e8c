Feature: Accounts
  A customer registers an email address, verifies the mailbox with a link, and can then log in. No response reveals whether an
  address has an account.

  Rule: Only the owner of the mailbox can log in

    Scenario: Register, verify and log in
      When Ayesha registers with "correct horse battery"
      Then the response is 200
      When Ayesha logs in with "correct horse battery" on laptop
      Then the response is 401 INVALID_CREDENTIALS
      When Ayesha verifies the mailbox with the link
      Then the response is 200
      When Ayesha logs in with "correct horse battery" on laptop
      Then the response is 200
      And the user's events are UserRegistered, EmailVerified

    Scenario: A link is valid once
      When Ayesha registers with "correct horse battery"
      And Ayesha verifies the mailbox with the link
      And Ayesha verifies the mailbox with the link
      Then the response is 409 INVALID_LINK

    Scenario: The link of a stranger's registration needs the stranger's password
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha verifies the mailbox with the link and the password "correct horse battery"
      Then the response is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the response is 401 INVALID_CREDENTIALS

    Scenario: Verification deletes other registrations of the address
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha registers with "correct horse battery"
      And Ayesha verifies the mailbox with the link
      Then the response is 200
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the response is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "correct horse battery" on laptop
      Then the response is 200

    Scenario: Registering a known address sends its owner a reset link
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When Ayesha registers with "purple monkey dish"
      Then the response is 200
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the response is 401 INVALID_CREDENTIALS
      When Ayesha resets the password to "another horse battery" with the link
      Then the response is 200

    Scenario Outline: A weak password is rejected
      When Ayesha registers with "<password>"
      Then <outcome>

      Examples:
        | password     | outcome                            |
        | aaaaaaaaaaaa | the response is 409 WEAK_PASSWORD  |
        | short        | the request is invalid at password |

  Rule: Failed attempts are throttled

    Scenario: The delay begins after five failures
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And Ayesha logs in with "correct horse battery" on laptop
      Then the response is 429 TOO_MANY_ATTEMPTS

    Scenario: An address without an account gets the same answers
      When an attacker tries 5 wrong passwords for Bilal
      And Bilal logs in with "correct horse battery" on laptop
      Then the response is 429 TOO_MANY_ATTEMPTS

    Scenario: A log-in succeeds after the delay
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And 2 seconds pass
      And Ayesha logs in with "correct horse battery" on laptop
      Then the response is 200

  Rule: Users can edit their profile only

    Scenario Outline: A valid change of the profile
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      And Ayesha has logged in with "correct horse battery" on laptop
      When the user sets the <member> to "<value>"
      Then the response is 200
      And the <member> is "<stored>"
      And the user's events are UserRegistered, EmailVerified, ProfileUpdated

      Examples:
        | member   | value           | stored        |
        | name     | Ayesha Khan     | Ayesha Khan   |
        | locale   | ur-PK           | ur-PK         |
        | timeZone | Asia/Karachi    | Asia/Karachi  |
        | phone    | +92 300 1234567 | +923001234567 |

    Scenario Outline: An invalid change of the profile
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      And Ayesha has logged in with "correct horse battery" on laptop
      When the user sets the <member> to "<value>"
      Then <outcome>

      Examples:
        | member   | value             | outcome                            |
        | email    | other@example.com | the request is invalid at email    |
        | role     | ROLE_ADMIN        | the request is invalid at role     |
        | userId   | 1                 | the request is invalid at userId   |
        | timeZone | Asia/Nowhere      | the request is invalid at timeZone |
        | phone    | +92 300           | the response is 409 INVALID_PHONE  |

  Rule: Users save addresses with labels

    Background:
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      And Ayesha has logged in with "correct horse battery" on laptop

    Scenario: Addresses are saved, replaced and deleted
      When the user saves an address in Lahore as "home"
      And the user saves an address in Karachi as "my work"
      Then the user's addresses are home in Lahore, my work in Karachi
      When the user saves an address in Multan as "home"
      And the user deletes the address "my work"
      Then the user's addresses are home in Multan
      When the user deletes the address "my work"
      Then the response is 200

    Scenario: The number of addresses is limited
      Given the user has 20 addresses
      When the user saves an address in Lahore as "one more"
      Then the response is 409 TOO_MANY_ADDRESSES

    Scenario Outline: An invalid address is rejected
      When the user saves an address in <city> as "<label>"
      Then the request is invalid at <field>

      Examples:
        | label | city   | field |
        | --    | Lahore | label |
