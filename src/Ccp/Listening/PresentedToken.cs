using Ccp.Configuration;
using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>The access token that a request carries: <c>x-ccp-token</c>, <c>Authorization: Bearer</c>, <c>x-api-key</c> or <c>x-auth-token</c>.</summary>
internal static class PresentedToken
{
    private const string Bearer = "Bearer ";

    /// <summary>For callers whose <c>authorization</c> is a login of their own.</summary>
    private const string OwnHeader = "x-ccp-token";

    /// <returns>Null when there is none. Claude Code may send two of them at once; the first that is not empty counts.</returns>
    public static string? In(IHeaderDictionary headers)
    {
        if (InOwnHeader(headers) is { } own)
        {
            return own;
        }

        var authorization = headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && authorization.AsSpan(Bearer.Length).Trim() is { Length: > 0 } token)
        {
            return token.ToString();
        }

        return NonEmpty(headers["x-api-key"].ToString()) ?? NonEmpty(headers["x-auth-token"].ToString());
    }

    /// <summary>In <c>x-ccp-token</c> alone, as local mode has it: there every other credential is the caller's own business.</summary>
    public static string? InOwnHeader(IHeaderDictionary headers) => NonEmpty(headers[OwnHeader].ToString());

    /// <summary>The caller's own login to a provider: an <c>authorization</c> beside <c>x-ccp-token</c>. Without that header it is taken for a token of ccp's.</summary>
    public static Secret? LoginBesideToken(IHeaderDictionary headers) => InOwnHeader(headers) is null ? null : LoginIn(headers);

    /// <summary>The caller's own login to a provider, where an <c>authorization</c> is nothing else.</summary>
    /// <returns>The header's whole value; null when there is none, or what stands there looks like one of ccp's tokens.</returns>
    public static Secret? LoginIn(IHeaderDictionary headers)
    {
        if (headers.Authorization is not [{ } value] || !value.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase))
        {
            return null;
        }

        var credential = value.AsSpan(Bearer.Length).Trim();
        return credential.IsEmpty || Guid.TryParse(credential, out _) ? null : new Secret(value);
    }

    private static string? NonEmpty(string value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
