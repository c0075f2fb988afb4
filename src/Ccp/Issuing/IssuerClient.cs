using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Ccp.Licensing;

namespace Ccp.Issuing;

/// <summary>An issuer, as one asks it. Errors: <see cref="LoginFailedException"/> for a no, <see cref="HttpRequestException"/> when it cannot be asked now.</summary>
/// <param name="address">Checked by <see cref="AddressOf"/>.</param>
internal sealed class IssuerClient(Uri address, HttpMessageHandler handler, TimeProvider time) : IDisposable
{
    private const int AnswerBytesMax = 256 * 1024;
    private const int ErrorLengthMax = 500;

    private static readonly TimeSpan AnswersWithin = TimeSpan.FromSeconds(30);

    private readonly HttpClient _client = new(handler) { Timeout = Timeout.InfiniteTimeSpan, MaxResponseContentBufferSize = AnswerBytesMax };

    /// <returns>Null when the text is no address that an invite may be sent to: https, or this host.</returns>
    public static Uri? AddressOf(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var address) && IsSafe(address) && address.UserInfo.Length + address.Query.Length + address.Fragment.Length == 0 ? address : null;

    /// <summary>Where nobody can listen in.</summary>
    public static bool IsSafe(Uri address) => address.Scheme == "https" || (address.Scheme == "http" && address.IsLoopback);

    public Task<DeviceBeginAnswer> BeginAsync(DeviceBeginRequest request) =>
        PostAsync("v1/device/begin", request, IssuerJson.Default.DeviceBeginRequest, IssuerJson.Default.DeviceBeginAnswer);

    public Task<DevicePollAnswer> PollAsync(string pollToken) =>
        PostAsync("v1/device/poll", new DevicePollRequest(pollToken), IssuerJson.Default.DevicePollRequest, IssuerJson.Default.DevicePollAnswer);

    public void Dispose() => _client.Dispose();

    private async Task<TAnswer> PostAsync<TRequest, TAnswer>(string path, TRequest request, JsonTypeInfo<TRequest> requestType, JsonTypeInfo<TAnswer> answerType) where TAnswer : class
    {
        using var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(request, requestType));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var (status, body) = await SendAsync(new Uri($"{address.AbsoluteUri.TrimEnd('/')}/{path}"), content);
        if (status is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError)
        {
            throw new HttpRequestException($"The issuer cannot serve this now: {Error(body) ?? $"status {(int)status}"}", null, status);
        }

        if (status != HttpStatusCode.OK)
        {
            throw new LoginFailedException(Error(body) is { } error ? $"The issuer says: {error}" : $"What answered (status {(int)status}) is no issuer. Look at its URL.");
        }

        return Read(body, answerType) ?? throw new LoginFailedException("What answered is no issuer of licenses for ccp. Look at its URL.");
    }

    private async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(Uri url, HttpContent content)
    {
        using var late = new CancellationTokenSource(AnswersWithin, time);
        try
        {
            using var response = await _client.PostAsync(url, content, late.Token);
            return (response.StatusCode, await response.Content.ReadAsByteArrayAsync(late.Token));
        }
        catch (OperationCanceledException error) when (late.IsCancellationRequested)
        {
            throw new HttpRequestException($"The issuer did not answer within {AnswersWithin.TotalSeconds} seconds. Look at its URL, and try again.", error);
        }
    }

    private static string? Error(byte[] body) =>
        Read(body, IssuerJson.Default.IssuerError)?.Error is { Length: > 0 } error ? error[..Math.Min(error.Length, ErrorLengthMax)] : null;

    private static T? Read<T>(byte[] body, JsonTypeInfo<T> type) where T : class
    {
        try
        {
            return JsonSerializer.Deserialize(body, type);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
