"""THE table: what NIST SP 800-63B-4 says of passwords, recovery and sessions, row by row, and the tests that hold it.

test_nist_table.py sees to it that each of these tests is there and is run. What no other test held has one in
test_nist_rows.py.
"""

from __future__ import annotations

from dataclasses import dataclass

WEB, CHANGES, ENGINES, FLAWS = "tests/web/", "tests/changes/", "tests/engines/", "tests/flaws/"
ROWS_HERE = "tests/nist/test_nist_rows.py::"
MAILBOX, PEOPLE, RESETS = (
    f"{WEB}test_mailbox_reset.py::", f"{WEB}test_recovering.py::", f"{CHANGES}test_resets.py::",
)  # fmt: skip
LIVE, GUARD = f"{ENGINES}test_app_passwords_live.py::", f"{ENGINES}test_sign_in_guard_live.py::"
CLIENTS = "tests/stories/test_real_clients.py::"


@dataclass(frozen=True)
class Row:
    """rule: what the standard says, in short, with its section where it has one. we: what Postroom does."""

    number: int
    rule: str
    we: str
    tests: tuple[str, ...]


ROWS = (
    Row(1, "a password that is the only factor has 15 characters at least, 8 as one of two; 64 may be used; nothing is"
           " cut off (3.1.1.2)",
        "15 to 128 for a mailbox, 12 and more for people, all of Unicode",
        (ROWS_HERE + "test_row_01_15_to_128_characters_count_and_none_is_cut_off",
         ROWS_HERE + "test_row_01_dovecot_takes_what_was_typed_to_its_last_space",
         ROWS_HERE + "test_row_01_people_have_12_beside_a_second_factor")),
    Row(2, "no rules of composition, no change by the calendar, a change where it is known to others (3.1.1.2)",
        "none of the first two; what is suspended opens nothing, and opens again with another password alone"
        " (`new_password`), which its owner sets by the code they kept or by a mailed link",
        ("tests/changes/test_another_password.py::test_all_that_opened_it_ends_and_links_go_where_they_count",
         ROWS_HERE + "test_row_02_no_page_asks_for_digits_and_no_password_ends_by_the_calendar",
         ROWS_HERE + "test_row_02_on_evidence_the_old_one_opens_nothing_more")),
    Row(3, "a list of what is refused is asked when one is set, and why is told (3.1.1.2)",
        "common passwords, and the words around it: client, domain, name, product",
        (ROWS_HERE + "test_row_03_the_name_of_the_client_with_a_year_is_refused_and_why",
         "tests/protocols/test_passwords.py::test_what_anybody_would_guess_is_refused_and_why",
         "tests/protocols/test_passwords.py::test_what_nobody_would_guess_is_fine")),
    Row(4, "no hints and no security questions (3.1.1.2)", "there are none",
        (ROWS_HERE + "test_row_04_no_page_and_no_operation_knows_a_hint_or_a_question",)),
    Row(5, "a hundred wrong ones in a row at most (3.2.2)",
        "one count of an account and a source, one of the account, for pages and every mail protocol",
        (f"{ENGINES}test_sign_in_counts.py::"
         "test_the_hundred_and_first_of_strangers_is_refused_though_it_is_right_and_a_known_source_is_not",
         GUARD + "test_three_wrong_over_three_protocols_refuse_the_right_one_there_and_nowhere_else",
         WEB + "test_mailbox_sign_in.py::test_a_source_is_not_let_ask_for_ever",
         WEB + "test_sign_in.py::test_guessing_is_slowed_down",
         MAILBOX + "test_guessing_is_slowed_by_source_and_locks_nobody_out",
         "tests/access/test_throttle.py::test_strangers_at_the_api_are_slowed_down")),
    Row(6, "kept salted, by a function that is slow and takes memory; 32 bits of salt at least (3.1.1.2)",
        "argon2id, with 128 bits of salt",
        (ROWS_HERE + "test_row_06_argon2id_with_a_salt_of_its_own",)),
    Row(7, "mail is no out-of-band authenticator (3.1.3.1)", "no link in a mail signs anybody in who runs the service",
        (ROWS_HERE + "test_row_07_no_way_to_sign_in_begins_with_a_mail",
         PEOPLE + "test_the_link_alone_is_nothing_with_the_factor_it_is_a_new_password",
         WEB + "test_sign_in.py::test_a_printed_link_stands_for_both_factors_in_a_demo_alone")),
    Row(8, "SMS and voice are restricted (3.1.3.3)", "nothing is sent to a number: somebody calls it",
        (ROWS_HERE + "test_row_08_nothing_is_ever_sent_to_a_number",)),
    Row(9, "a saved recovery code has 64 bits, works once, is replaced on use, and kept as a hash (4.2.1.1)",
        "one code of more than 128 bits",
        (FLAWS + "test_reset_flow.py::test_row_03_every_token_holds_128_bits_and_none_comes_twice",
         MAILBOX + "test_by_the_code_once_with_another_one_shown",
         MAILBOX + "test_one_code_in_fifty_hands_opens_once",
         WEB + "test_mailbox_owner.py::test_another_recovery_code_is_shown_once_and_kept_as_a_hash")),
    Row(10, "an issued recovery code by mail is good for a day at most (4.2.1.2)",
        "a link for an hour, once, void when what it was asked for changed",
        (MAILBOX + "test_a_link_is_good_for_an_hour_and_for_this_alone",
         MAILBOX + "test_a_link_is_void_when_what_it_was_asked_for_changed",
         PEOPLE + "test_a_link_is_good_for_an_hour_and_is_no_other_sort_of_link",
         ROWS_HERE + "test_row_10_every_other_link_is_void_once_one_of_them_was_used")),
    Row(11, "recovery at AAL2: two codes by two ways, or one and an authenticator (4.2.2.2)",
        "the link asks for the second factor; without it an owner agrees, a day passes, everybody is told; a VIP's"
        " mailbox takes two methods",
        (PEOPLE + "test_the_link_alone_is_nothing_with_the_factor_it_is_a_new_password",
         PEOPLE + "test_without_the_factor_an_owner_agrees_and_a_day_passes",
         RESETS + "test_a_vips_takes_two_methods_a_second_person_and_a_quarter_of_an_hour",
         RESETS + "test_the_same_method_twice_is_one_proof")),
    Row(12, "recovery contacts and proofing anew are the other ways (4.2.1.3, 4.2.1.4)",
        "who called, by what method and with what result, and who agreed, stands in the record",
        (ROWS_HERE + "test_row_12_the_record_says_by_what_method_and_who_agreed",)),
    Row(13, "whoever is recovered is told, where they were reached before (4.2.3)",
        "the mailbox, every recovery address, the first contact and the client's security contact",
        (ROWS_HERE + "test_row_13_every_recovery_is_told_to_the_addresses_of_before",
         PEOPLE + "test_this_was_not_me_stops_it_and_alone_it_waits_with_everybody_told")),
    Row(14, "another authenticator is added after a sign-in at that level, and told of (4.1.2)",
        "a fresh second factor, or the mailbox's password, comes first, for an app that is let in as for an app"
        " password; a letter says what was added, taken away or made anew, and from where, also to the address of"
        " before",
        (WEB + "test_step_up.py::test_ones_own_factors_and_a_terminals_session_want_it_too",
         WEB + "test_factor_letters.py::test_what_is_added_is_told_with_where_from",
         WEB + "test_factor_letters.py::test_what_is_taken_away_and_codes_made_anew_are_told",
         WEB + "test_factor_letters.py::test_an_address_that_moved_lately_is_told_too",
         WEB + "test_own_devices.py::test_a_device_registers_itself_and_its_person_is_told",
         WEB + "test_own_devices.py::test_it_takes_a_fresh_second_factor_either_way",
         ROWS_HERE + "test_row_14_no_app_password_without_the_password_and_its_owner_is_told",
         ROWS_HERE + "test_row_14_no_app_is_let_in_without_the_password_and_its_owner_is_told",
         WEB + "test_by_hand.py::test_until_it_is_confirmed_its_owner_sees_one_thing_and_lets_nothing_in")),
    Row(15, "a record of every authenticator that ever was, with when and from where (4.1)", "the record itself",
        (ROWS_HERE + "test_row_15_what_was_ever_bound_stands_in_the_record_with_time_and_source",)),
    Row(16, "what is revoked or expired is of no use at once (4.3, 4.4)", "within seconds, on the node",
        (LIVE + "test_one_that_expired_is_refused_and_its_session_ends",
         LIVE + "test_a_revoked_one_ends_its_own_device_and_no_other",
         WEB + "test_mailbox_sign_in.py::test_the_session_is_over_as_soon_as_the_access_is",
         CLIENTS + "test_who_was_in_is_put_out_and_stays_out")),
    Row(17, "at AAL2 a session ends after a day, and after an hour without use (2.2.3)", "both",
        (WEB + "test_session_limits.py::test_an_operator_is_asked_again_after_an_hour_without_a_click",
         WEB + "test_session_limits.py::test_nobody_stays_for_more_than_a_day",
         WEB + "test_mailbox_sign_in.py::test_a_day_is_the_most_it_lasts")),
    Row(18, "the secret of a session has 64 bits, stands in no URL, and is erased at sign-out (5.1)", "a cookie",
        (ROWS_HERE + "test_row_18_a_sessions_key_is_long_in_no_address_and_gone_after_the_sign_out",
         FLAWS + "test_verbs.py::test_row_24_the_cookies_stay_at_home")),
    Row(19, "at AAL2 there is a way that no phishing takes (2.2.2)", "passkeys",
        ("tests/stories/test_of_ones_own.py::test_a_passkey_signs_in_alone_and_a_key_that_shall_not_does_not",)),
)  # fmt: skip
