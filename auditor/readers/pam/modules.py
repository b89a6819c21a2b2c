"""The PAM modules that are known, by what they ask for, and the options of those that ask for a token. Pure."""

from __future__ import annotations

PASSWORD = frozenset({"pam_unix", "pam_unix2", "pam_tcb", "pam_ldap", "pam_krb5", "pam_winbind", "pam_pwdfile"})
TOKEN = frozenset({"pam_google_authenticator", "pam_oath", "pam_u2f", "pam_yubico", "pam_otpw"})

# What these ask for is decided elsewhere (a server, their own file): they count for nothing that can be told here.
TOLD_ELSEWHERE = "?"
# These ask for something, whatever it is; what others that are not known do, a program of anybody's may decide.
ASKING = frozenset([
    "pam_sss", "pam_sss_gss", "pam_duo", "pam_radius_auth", "pam_tacplus", "pam_fprintd", "pam_ssh_agent_auth", "pam_pkcs11",
    "pam_p11", "pam_mysql", "pam_pgsql", "pam_userdb", "pam_systemd_home", "pam_centrifydc", "pam_lsass", "pam_vas3", "pam_aad",
    "pam_himmelblau", "pam_privacyidea", "pam_rsa", "pam_securid", "pam_mfa",
])  # fmt: skip

NEUTRAL = frozenset([
    "pam_env", "pam_faildelay", "pam_faillock", "pam_tally", "pam_tally2", "pam_nologin", "pam_motd", "pam_cap", "pam_group",
    "pam_warn", "pam_echo", "pam_shells", "pam_securetty", "pam_loginuid", "pam_keyinit", "pam_umask", "pam_limits",
    "pam_lastlog", "pam_issue", "pam_selinux", "pam_sepermit", "pam_systemd", "pam_mail", "pam_ssh_add",
    "pam_gnome_keyring", "pam_kwallet", "pam_kwallet5",
])  # fmt: skip
CONDITIONS = frozenset([
    "pam_succeed_if", "pam_access", "pam_listfile", "pam_localuser", "pam_usertype", "pam_time", "pam_wheel", "pam_rhosts",
    "pam_rootok",
])  # fmt: skip

OPTIONAL_TOKEN = ("nullok", "nouserok")
NO_TOKEN = ("alwaysok",)  # whoever comes is let through, enrolled or not
_OF_ALL = frozenset({"debug", "try_first_pass", "use_first_pass"})

# Per module, the options that let nobody through without the token; any other leaves it open what the module asks for.
HARMLESS = {
    "pam_google_authenticator": _OF_ALL | {
        "secret", "authtok_prompt", "user", "no_strict_owner", "allowed_perm", "forward_pass", "noskewadj",
        "no_increment_hotp", "echo_verification_code", "allow_readonly",
    },
    "pam_oath": _OF_ALL | {"usersfile", "window", "digits"},
    "pam_u2f": _OF_ALL | {
        "authfile", "authpending_file", "origin", "appid", "cue", "cue_prompt", "interactive", "prompt", "manual",
        "debug_file", "openasuser", "expand", "max_devices", "userverification", "pinverification", "sshformat", "nodetect",
    },
    "pam_yubico": _OF_ALL | {
        "authfile", "id", "key", "url", "urllist", "capath", "cainfo", "proxy", "verbose_otp", "token_id_length",
        "debug_file", "mode", "chalresp_path", "ldap_uri", "ldapserver", "ldapdn", "ldap_bind_user", "ldap_bind_password",
        "ldap_filter", "ldap_cacertfile", "ldap_starttls", "yubi_attr", "yubi_attr_prefix", "user_attr",
    },
    "pam_otpw": _OF_ALL,
}  # fmt: skip
