Feature: Accounts
  A customer registers an email address, verifies the mailbox with a link, and can then log in. No response reveals whether an
  address has an account.

  Rule: Only the owner of the mailbox can log in

    Scenario: Register, verify and log in
      When Ayesha registers with "correct horse battery"
      Then the answer is 200
      When Ayesha logs in with "correct horse battery" on laptop
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha verifies the mailbox with the link
      Then the answer is 200
      When Ayesha logs in with "correct horse battery" on laptop
      Then the answer is 200
      And the user's events are UserRegistered, EmailVerified

    Scenario: A link is valid once
      When Ayesha registers with "correct horse battery"
      And Ayesha verifies the mailbox with the link
      And Ayesha verifies the mailbox with the link
      Then the answer is 409 INVALID_LINK

    Scenario: The link of a stranger's registration needs the stranger's password
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha verifies the mailbox with the link and the password "correct horse battery"
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the answer is 401 INVALID_CREDENTIALS

    Scenario: Verification deletes other registrations of the address
      Given a stranger has registered Ayesha's address with "purple monkey dish"
      When Ayesha registers with "correct horse battery"
      And Ayesha verifies the mailbox with the link
      Then the answer is 200
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha logs in with "correct horse battery" on laptop
      Then the answer is 200

    Scenario: Registering a known address sends its owner a reset link
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When Ayesha registers with "purple monkey dish"
      Then the answer is 200
      When Ayesha logs in with "purple monkey dish" on tablet
      Then the answer is 401 INVALID_CREDENTIALS
      When Ayesha resets the password to "another horse battery" with the link
      Then the answer is 200

    Scenario Outline: A weak password is rejected
      When Ayesha registers with "<password>"
      Then <outcome>

      Examples:
        | password             | outcome                         |
        | aaaaaaaaaaaa         | the answer is 409 WEAK_PASSWORD |
        | short                | it is refused for its password  |

  Rule: Failed attempts are throttled

    Scenario: The delay begins after five failures
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And Ayesha logs in with "correct horse battery" on laptop
      Then the answer is 429 TOO_MANY_ATTEMPTS

    Scenario: An address without an account gets the same answers
      When an attacker tries 5 wrong passwords for Bilal
      And Bilal logs in with "correct horse battery" on laptop
      Then the answer is 429 TOO_MANY_ATTEMPTS

    Scenario: A log-in succeeds after the delay
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      When an attacker tries 5 wrong passwords for Ayesha
      And 2 seconds pass
      And Ayesha logs in with "correct horse battery" on laptop
      Then the answer is 200

  Rule: Users can edit their profile only

    Scenario Outline: A valid change of the profile
      Given Ayesha has registered with "correct horse battery" and verified the mailbox
      And Ayesha has logged in with "correct horse battery" on laptop
      When the user sets the <member> to "<value>"
      Then the answer is 200
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
        | member   | value             | outcome                          |
        | email    | other@example.com | it is refused for its email      |
        | role     | ROLE_ADMIN        | it is refused for its role       |
        | userId   | 1                 | it is refused for its userId     |
        | timeZone | Asia/Nowhere      | it is refused for its timeZone   |
        | phone    | +92 300           | the answer is 409 INVALID_PHONE  |

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
      Then the answer is 200

    Scenario: The number of addresses is limited
      Given the user has 20 addresses
      When the user saves an address in Lahore as "one more"
      Then the answer is 409 TOO_MANY_ADDRESSES

    Scenario Outline: An invalid address is rejected
      When the user saves an address in <city> as "<label>"
      Then it is refused for its <field>

      Examples:
        | label | city   | field        |
        | --    | Lahore | label        |
