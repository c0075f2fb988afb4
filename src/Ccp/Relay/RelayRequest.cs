using Ccp.Configuration;
using Ccp.Limits;
using Ccp.Refusals;
using Microsoft.AspNetCore.Http;

namespace Ccp.Relay;

/// <summary>A call as it arrived.</summary>
/// <param name="Path">From <c>/v1/</c> on: what the upstream is asked for.</param>
/// <param name="Token">The access token; null when the caller sent none.</param>
/// <param name="From">Where the call comes from.</param>
internal sealed record RelayRequest(HttpContext Http, RelayKind Kind, string Path, string? Token, Caller From)
{
    private const int IdLengthMax = 128;

    /// <summary>The <c>authorization</c> that is not ccp's, for a lane that passes logins on; null when there is none.</summary>
    public Secret? Login { get; init; }

    /// <summary>Why it cannot be the local user's call, in local mode; null when nothing speaks against it.</summary>
    public Refusal? NotLocal { get; init; }

    /// <summary>One per session of Claude Code, shared by its sub-agents.</summary>
    public string? SessionId => Identifier("x-claude-code-session-id");

    /// <summary>Of all models, not of one.</summary>
    public bool IsListOfModels => Kind == RelayKind.Models && AllowedModels.IdIn(Path) is null;

    public string? AgentId => Identifier("x-claude-code-agent-id");

    private string? Identifier(string header) =>
        Http.Request.Headers.TryGetValue(header, out var values) && values.ToString() is { Length: > 0 and <= IdLengthMax } id ? id : null;
}

internal enum RelayKind
{
    Messages,

    /// <summary>Free, and never refused for money.</summary>
    CountTokens,
    Models,
}
