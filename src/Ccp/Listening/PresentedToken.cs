using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>The access token that a request carries: <c>Authorization: Bearer</c>, <c>x-api-key</c> or <c>x-auth-token</c>, all equal.</summary>
internal static class PresentedToken
{
    private const string Bearer = "Bearer ";

    /// <returns>Null when there is none. Claude Code may send two of them at once; the first that is not empty counts.</returns>
    public static string? In(IHeaderDictionary headers)
    {
        var authorization = headers.Authorization.ToString();
        if (authorization.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) && authorization.AsSpan(Bearer.Length).Trim() is { Length: > 0 } token)
        {
            return token.ToString();
        }

        return NonEmpty(headers["x-api-key"].ToString()) ?? NonEmpty(headers["x-auth-token"].ToString());
    }

    private static string? NonEmpty(string value) => string.IsNullOrWhiteSpace(value) ? null : value.Trim();
}
