using Microsoft.AspNetCore.Http;

namespace Ccp.Listening;

/// <summary>What a path stands for. A path that is not here is refused: an unmetered path is a hole in the till.</summary>
internal enum RouteKind
{
    Messages,
    CountTokens,
    Models,

    /// <summary><c>HEAD /</c> and <c>/api/hello</c>: a client warms its connection up, without a credential.</summary>
    Hello,

    /// <summary>Everything that <see cref="Admin.AdminApi"/> answers.</summary>
    Admin,
    WrongMethod,
    Unknown,
}

/// <summary>The paths that ccp knows.</summary>
internal static class Routes
{
    /// <summary>The Messages API answers under this prefix too: clients are configured with base URLs that carry it.</summary>
    public const string Prefix = "/api/anthropic";

    private const string ModelsPath = "/v1/models";

    /// <param name="path">As decoded by the server.</param>
    /// <returns>The kind, and the path without the prefix.</returns>
    public static (RouteKind Kind, string Path) Match(string method, string path)
    {
        var inner = path.StartsWith(Prefix + "/", StringComparison.Ordinal) ? path[Prefix.Length..] : path;
        var kind = inner switch
        {
            "/v1/messages" => Only(HttpMethods.IsPost(method), RouteKind.Messages),
            "/v1/messages/count_tokens" => Only(HttpMethods.IsPost(method), RouteKind.CountTokens),
            ModelsPath => Only(HttpMethods.IsGet(method), RouteKind.Models),
            "/api/hello" => Only(HttpMethods.IsGet(method) || HttpMethods.IsHead(method), RouteKind.Hello),
            "/" => Only(HttpMethods.IsHead(method), RouteKind.Hello),
            _ when IsModel(inner) => Only(HttpMethods.IsGet(method), RouteKind.Models),
            _ when Admin.AdminApi.Owns(path) => RouteKind.Admin,
            _ => RouteKind.Unknown,
        };
        return (kind, inner);
    }

    private static RouteKind Only(bool isRightMethod, RouteKind kind) => isRightMethod ? kind : RouteKind.WrongMethod;

    /// <summary>One segment of harmless characters: nothing that could lead elsewhere upstream.</summary>
    private static bool IsModel(string path) =>
        path.Length > ModelsPath.Length + 1
        && path.StartsWith(ModelsPath + "/", StringComparison.Ordinal)
        && !path.AsSpan(ModelsPath.Length + 1).ContainsAnyExcept(ModelCharacters)
        && path[ModelsPath.Length + 1] != '.';

    private static readonly System.Buffers.SearchValues<char> ModelCharacters =
        System.Buffers.SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:@-");
}
