# Points the shell that sources it, bash or zsh, at a ccp on this host. ccp env does the same for others, and for a ccp elsewhere.
#
#   . scripts/ccp-env.sh [PORT]        the port is 8082 unless it is named
#
# A script that has arguments of its own must name the port: a file that is sourced without one sees the first of those. Fails when it is no port, so that what
# follows && does not go past ccp.
#
#   CCP_TOKEN            the access token; without it the shell keeps the ANTHROPIC_AUTH_TOKEN it has
#   CCP_HAIKU_MODEL      also sets ANTHROPIC_DEFAULT_HAIKU_MODEL, the model that Claude Code takes for haiku
#   CCP_SUBAGENT_MODEL   also sets CLAUDE_CODE_SUBAGENT_MODEL, the model that sub-agents run on

# A port is 1 to 65535.
case ${1-8082} in
    '' | *[!0-9]* | 0* | ??????* | [7-9]???? | 6[6-9]??? | 65[6-9]?? | 655[4-9]? | 6553[6-9])
        echo "usage: . scripts/ccp-env.sh [PORT]; $1 is no port, and nothing was set" >&2
        return 2
        ;;
    *)
        export ANTHROPIC_BASE_URL="http://127.0.0.1:${1-8082}"
        if [ -n "${CCP_TOKEN-}" ]; then
            export ANTHROPIC_AUTH_TOKEN="$CCP_TOKEN"
        fi

        # It would come first.
        unset ANTHROPIC_API_KEY
        if [ -n "${CCP_HAIKU_MODEL-}" ]; then
            export ANTHROPIC_DEFAULT_HAIKU_MODEL="$CCP_HAIKU_MODEL"
        fi

        if [ -n "${CCP_SUBAGENT_MODEL-}" ]; then
            export CLAUDE_CODE_SUBAGENT_MODEL="$CCP_SUBAGENT_MODEL"
        fi

        echo "Claude Code in this shell now uses $ANTHROPIC_BASE_URL."
        ;;
esac
