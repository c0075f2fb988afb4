using System.Text.Json;
using System.Text.Json.Serialization;

namespace Ccp.Licensing;

/// <summary>The body of <c>POST /v1/license/issue</c>.</summary>
/// <param name="Device">Null: the license is for any host.</param>
internal sealed record IssueRequest(
    [property: JsonPropertyName("invite_code")] string? InviteCode,
    [property: JsonPropertyName("email")] string? Email,
    [property: JsonPropertyName("device")] string? Device = null);

/// <param name="License">The license as JSON, to be kept byte for byte beside its signature.</param>
/// <param name="ExpiresAt">Unix seconds.</param>
internal sealed record IssueAnswer(
    [property: JsonPropertyName("license")] JsonElement License,
    [property: JsonPropertyName("sigB64")] string Signature,
    [property: JsonPropertyName("license_pack")] string Pack,
    [property: JsonPropertyName("pubKeyB64")] string PublicKey,
    [property: JsonPropertyName("kid")] string KeyId,
    [property: JsonPropertyName("plan")] string Plan,
    [property: JsonPropertyName("features")] IReadOnlyList<string> Features,
    [property: JsonPropertyName("exp")] long ExpiresAt);

/// <summary>The body of <c>POST /v1/device/begin</c>.</summary>
/// <param name="InviteCode">Null: the page asks for it.</param>
/// <param name="RedirectUrl">Where the page sends the browser in the end; null: nowhere.</param>
internal sealed record DeviceBeginRequest(
    [property: JsonPropertyName("invite_code")] string? InviteCode,
    [property: JsonPropertyName("email")] string? Email = null,
    [property: JsonPropertyName("device")] string? Device = null,
    [property: JsonPropertyName("redirect_url")] string? RedirectUrl = null);

/// <param name="UserCode">What the person compares with the page.</param>
/// <param name="PollToken">The secret that fetches the license.</param>
/// <param name="Interval">Seconds between two polls.</param>
/// <param name="ExpiresIn">Seconds until the code is of no use.</param>
internal sealed record DeviceBeginAnswer(
    [property: JsonPropertyName("user_code")] string? UserCode,
    [property: JsonPropertyName("poll_token")] string? PollToken,
    [property: JsonPropertyName("authorize_url")] string? AuthorizeUrl,
    [property: JsonPropertyName("interval")] int Interval,
    [property: JsonPropertyName("expires_in")] int ExpiresIn);

/// <summary>The body of <c>POST /v1/device/poll</c>.</summary>
internal sealed record DevicePollRequest([property: JsonPropertyName("poll_token")] string? PollToken);

/// <param name="Status"><c>pending</c>, <c>ok</c>, <c>expired</c> or <c>not_found</c>; the last also when the person said no.</param>
/// <param name="Pack">With <c>ok</c> only. Issuers write it as text; one that writes the object itself is understood too.</param>
internal sealed record DevicePollAnswer(
    [property: JsonPropertyName("status")] string? Status,
    [property: JsonPropertyName("license_pack")] JsonElement? Pack = null);

/// <summary>What an issuer says instead: what is wrong, and what to do.</summary>
internal sealed record IssuerError([property: JsonPropertyName("error")] string? Error);

/// <summary>The JSON of the issuer's contract, generated at build time. Members it does not know are passed over.</summary>
[JsonSourceGenerationOptions(DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IssueRequest))]
[JsonSerializable(typeof(IssueAnswer))]
[JsonSerializable(typeof(DeviceBeginRequest))]
[JsonSerializable(typeof(DeviceBeginAnswer))]
[JsonSerializable(typeof(DevicePollRequest))]
[JsonSerializable(typeof(DevicePollAnswer))]
[JsonSerializable(typeof(IssuerError))]
[JsonSerializable(typeof(string))]
internal sealed partial class IssuerJson : JsonSerializerContext;
