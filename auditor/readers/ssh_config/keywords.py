"""What OpenSSH's client calls its settings, and which of them have a part in how we connect. Pure."""

from __future__ import annotations

UNDERSTOOD = frozenset((
    "addressfamily", "bindaddress", "certificatefile", "connecttimeout", "globalknownhostsfile", "hostkeyalias",
    "hostname", "identitiesonly", "identityagent", "identityfile", "kbdinteractiveauthentication",
    "passwordauthentication", "port", "preferredauthentications", "proxyjump", "pubkeyauthentication", "user",
    "userknownhostsfile", "kexalgorithms", "ciphers", "macs", "hostkeyalgorithms",
))  # fmt: skip
ALGORITHMS = ("kexalgorithms", "ciphers", "macs", "hostkeyalgorithms")
HARMLESS = frozenset((
    "addkeystoagent", "batchmode", "canonicaldomains", "canonicalizefallbacklocal", "canonicalizemaxdots",
    "canonicalizepermittedcnames", "casignaturealgorithms", "channeltimeout", "clearallforwardings", "compression",
    "connectionattempts", "controlmaster", "controlpath", "controlpersist", "dynamicforward",
    "enableescapecommandline", "enablesshkeysign", "escapechar", "exitonforwardfailure", "fingerprinthash",
    "forkafterauthentication", "forwardagent", "forwardx11", "forwardx11timeout", "forwardx11trusted", "gatewayports",
    "gssapiauthentication", "gssapiclientidentity", "gssapidelegatecredentials", "gssapikexalgorithms",
    "gssapikeyexchange", "gssapirenewalforcesrekey", "gssapiserveridentity", "gssapitrustdns", "hashknownhosts",
    "hostbasedacceptedalgorithms", "hostbasedacceptedkeytypes", "hostbasedauthentication", "hostbasedkeytypes",
    "ignoreunknown", "ipqos", "kbdinteractivedevices", "localcommand", "localforward", "loglevel", "logverbose",
    "numberofpasswordprompts", "obscurekeystroketiming", "permitlocalcommand", "permitremoteopen", "proxyusefdpass",
    "pubkeyacceptedalgorithms", "pubkeyacceptedkeytypes", "rekeylimit", "remotecommand", "remoteforward", "requesttty",
    "requiredrsasize", "securitykeyprovider", "sendenv", "serveralivecountmax", "serveraliveinterval", "sessiontype",
    "setenv", "stdinnull", "streamlocalbindmask", "streamlocalbindunlink", "syslogfacility", "tag", "tcpkeepalive",
    "tunnel", "tunneldevice", "updatehostkeys", "usekeychain", "versionaddendum", "visualhostkey", "warnweakcrypto",
    "xauthlocation",
))  # fmt: skip
# Keywords with values that ask for nothing: only another value is an Objection.
AT_REST = {
    "canonicalizehostname": ("no", "false"),
    "checkhostip": ("no", "false"),
    "knownhostscommand": ("none",),
    "nohostauthenticationforlocalhost": ("no", "false"),
    "pkcs11provider": ("none",),
    "proxycommand": ("none",),
    "revokedhostkeys": ("none",),
    "stricthostkeychecking": ("yes", "true", "ask", "accept-new"),  # an unknown key is refused in any case
    "verifyhostkeydns": ("no", "false", "ask"),
}
SYNONYMS = {
    "challengeresponseauthentication": "kbdinteractiveauthentication",
    "skeyauthentication": "kbdinteractiveauthentication",
    "tisauthentication": "kbdinteractiveauthentication",
    "globalknownhostsfile2": "globalknownhostsfile",
    "identityfile2": "identityfile",
    "userknownhostsfile2": "userknownhostsfile",
    "dsaauthentication": "pubkeyauthentication",
    "pubkeyauthentication": "pubkeyauthentication",
    "smartcarddevice": "pkcs11provider",
}
SEVERAL = ("identityfile", "certificatefile")  # add up; the first value of any other keyword counts
LISTS = ("userknownhostsfile", "globalknownhostsfile")  # several words are several values
