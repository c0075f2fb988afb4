using System.Net;
using System.Net.Sockets;
using System.Text;
using Ccp.ScriptedUpstream;
using Ccp.WireTests.Hosting;

namespace Ccp.WireTests.Isolation;

using Usage = Ccp.ScriptedUpstream.Usage;

/// <summary>
/// Goal: no key, token or cookie of anybody is anywhere but where it belongs.
/// Method: every combination of how a client shows its token, which lane is wanted, which header carries the key, why another lane takes over and how the
/// answer ends, each with every header that must not cross, both ways. What arrives anywhere is compared header by header with what the documents say, and
/// all of it, with every file and log that ccp leaves, is searched for everybody's secrets byte by byte.
/// </summary>
public sealed class IsolationTests
{
    private static readonly Usage Small = new(Input: 25, Output: 15);

    [Theory]
    [InlineData("x-api-key", true)]
    [InlineData("authorization", true)]
    [InlineData("auto", true)]
    [InlineData("auto", false)]
    [InlineData("passthrough", true)]
    public async Task Nothing_crosses(string mode, bool takesApiKey)
    {
        var count = 0;
        foreach (var gone in new[] { null, IsolationCase.Anthropic, IsolationCase.Zai, IsolationCase.House })
        {
            count += await RunAsync(mode, takesApiKey, gone);
        }

        // 6 forms × 4 answers × (3 + 4 + 4 troubles of a lane that is there, and 3 lanes that are gone).
        Assert.Equal(6 * 4 * (11 + 3), count);
        TestContext.Current.TestOutputHelper?.WriteLine($"{count} combinations, 0 leaks");
    }

    private static async Task<int> RunAsync(string mode, bool takesApiKey, string? gone)
    {
        var upstreams = new Dictionary<string, ScriptedUpstreamServer>();
        var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            foreach (var lane in IsolationCase.Lanes)
            {
                upstreams[lane] = await ScriptedUpstreamServer.StartAsync(request => Answer(lane, request, takesApiKey));
            }

            // Bound, so that nobody gets the port, and not listening.
            closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            var addresses = upstreams.ToDictionary(each => each.Key, each => each.Key == gone ? new Uri($"http://{closed.LocalEndPoint}") : each.Value.BaseUrl);
            await using var ccp = await CcpUnderTest.StartAsync(addresses[IsolationCase.Anthropic], change: setup => Configure(setup, mode, addresses));
            await ccp.TopUpAsync("bob", "50");
            var (status, _) = await ccp.AdministerAsync(HttpMethod.Put, "/admin/users/bob", $$"""{"anthropicApiKey":"{{Parties.BobsKey}}"}""");
            Assert.Equal(200, status);

            var model = new LaneModel(mode, takesApiKey, gone);
            var cases = Cases(gone).ToList();
            foreach (var call in cases)
            {
                await CheckAsync(call, ccp, upstreams, model);
            }

            var metrics = await ccp.MetricsAtRestAsync();
            Assert.Equal(cases.Count, metrics.Family("ccp_calls_total").Values.Sum());
            Assert.Empty(Parties.FoundIn(Encoding.UTF8.GetBytes(metrics.Text)));
            await ccp.StopAsync();
            Assert.All(upstreams.Values, upstream => Assert.Empty(upstream.Faults));
            CheckWhatIsLeft(ccp, says: gone is null ? "refused the key" : "could not be reached");
            return cases.Count;
        }
        finally
        {
            closed.Dispose();
            foreach (var upstream in upstreams.Values)
            {
                await upstream.DisposeAsync();
            }
        }
    }

    /// <summary>The troubles of a lane vary fastest: between two failures it answers, and is not taken for one that is down.</summary>
    private static IEnumerable<IsolationCase> Cases(string? gone)
    {
        string[] lanes = gone is null ? IsolationCase.Lanes : [gone];
        LaneTrouble[] troubles = gone is null ? [LaneTrouble.None, LaneTrouble.Failed, LaneTrouble.Overloaded, LaneTrouble.OverQuota] : [LaneTrouble.NotConnected];
        return
            from wanted in lanes
            from form in Enum.GetValues<ClientForm>()
            from answer in Enum.GetValues<FinalAnswer>()
            from trouble in troubles
            where trouble != LaneTrouble.OverQuota || wanted != IsolationCase.Anthropic
            select new IsolationCase(form, wanted, trouble, answer);
    }

    private static async Task CheckAsync(IsolationCase call, CcpUnderTest ccp, Dictionary<string, ScriptedUpstreamServer> upstreams, LaneModel model)
    {
        var before = upstreams.ToDictionary(each => each.Key, each => each.Value.Requests.Count);
        using var answer = await ccp.SendAsync(RequestOf(call, ccp));
        var body = await ReadAsync(answer);
        var (expected, status) = model.Run(call);

        // Towards the upstreams: these requests, with these headers, and no others.
        var wanted = expected.OrderBy(each => each.Lane, StringComparer.Ordinal).ToList();
        var arrived = upstreams.OrderBy(each => each.Key, StringComparer.Ordinal).SelectMany(each => each.Value.Requests.Skip(before[each.Key]).Select(request => (Lane: each.Key, Request: request))).ToList();
        Assert.True(wanted.Select(each => each.Lane).SequenceEqual(arrived.Select(each => each.Lane)), $"{call}: expected {string.Join(", ", wanted)}, arrived {string.Join(", ", arrived.Select(each => each.Lane))}");
        foreach (var ((lane, header), (_, request)) in wanted.Zip(arrived))
        {
            Assert.Equal(model.HeadersOf(call, lane, header, upstreams[lane].BaseUrl.Authority, request.Body.Length), LaneModel.Sorted(request.Headers));
            Assert.Equal("/v1/messages?beta=true", request.Target);
            Assert.Empty(Parties.FoundIn(Bytes($"{request.Target}\n{string.Join('\n', request.Headers)}\n{request.BodyText}"), model.KeyOf(lane, call.Form)));
        }

        // Towards the client.
        var headers = answer.Headers.NonValidated.Concat(answer.Content.Headers.NonValidated).ToList();
        var all = Bytes($"{string.Join('\n', headers.Select(header => $"{header.Key}: {header.Value}"))}\n{Encoding.Latin1.GetString(body)}");
        if (status == 0)
        {
            // With which headers depends on how often that lane was not there.
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Empty(Parties.FoundIn(all));
            return;
        }

        var last = expected[^1].Lane;
        Assert.Equal(status == 401 && !model.PassesOn(last) ? 503 : status, (int)answer.StatusCode);
        Assert.Equal(model.AnswerHeaders(call, status, last), headers.Select(header => header.Key.ToLowerInvariant()).Order(StringComparer.Ordinal));
        Assert.Empty(Parties.FoundIn(all, model.PassesOn(last) ? [Parties.Login] : []));
        Assert.Contains(SaysWith(status, call.Answer, model.PassesOn(last)), Encoding.UTF8.GetString(body), StringComparison.Ordinal);
    }

    private static string SaysWith(int status, FinalAnswer answer, bool isToLogin) => status switch
    {
        401 when isToLogin => "invalid key",
        401 => "credential was refused",
        not 200 => "what is wrong",
        _ => answer == FinalAnswer.Cut ? "event: error" : "text",
    };

    /// <summary>The store, its log, the usage log, the keys' key, the process log: whatever lies in the data directory. A user's key may stand there encrypted only.</summary>
    private static void CheckWhatIsLeft(CcpUnderTest ccp, string says)
    {
        var files = Directory.GetFiles(ccp.Home, "*", SearchOption.AllDirectories).Where(file => !file.EndsWith(".sock", StringComparison.Ordinal)).ToList();
        Assert.Contains(files, file => file.EndsWith("usage.jsonl", StringComparison.Ordinal));
        Assert.Contains(files, file => file.EndsWith("ccp.db", StringComparison.Ordinal));
        Assert.All(files, file => Assert.Empty(Parties.FoundIn(File.ReadAllBytes(file))));
        Assert.Contains(says, ccp.Log, StringComparison.Ordinal);
        Assert.Empty(Parties.FoundIn(Bytes(ccp.Log)));
    }

    private static void Configure(CcpSetup setup, string mode, Dictionary<string, Uri> addresses)
    {
        // A login has one provider, so one lane may pass it on.
        var other = mode == "passthrough" ? "x-api-key" : mode;
        setup.Lane = $"header = \"{mode}\"";
        setup.Environment["ZAI_API_KEY"] = Parties.ZaiKey;
        setup.Environment["HOUSE_KEY"] = Parties.HouseKey;
        setup.More = $"""
            [[lane]]
            name = "zai"
            base_url = "{addresses[IsolationCase.Zai].AbsoluteUri.TrimEnd('/')}"
            requires = ""
            header = "{other}"
            [[lane]]
            name = "house"
            base_url = "{addresses[IsolationCase.House].AbsoluteUri.TrimEnd('/')}"
            key = "env:HOUSE_KEY"
            header = "{other}"
            forward_headers = ["x-team"]
            [[route]]
            model = "claude-sonnet-*"
            lane = "anthropic"
            fallback = "house"
            [[route]]
            model = "claude-haiku-*"
            lane = "zai"
            fallback = "anthropic"
            [[route]]
            model = "claude-opus-*"
            lane = "house"
            fallback = "zai"
            [[user]]
            name = "bob"
            token_sha256 = "{CcpSetup.HashOf(Parties.Bob)}"
            """;
    }

    private static HttpRequestMessage RequestOf(IsolationCase call, CcpUnderTest ccp)
    {
        var request = ccp.Request(HttpMethod.Post, "/v1/messages?beta=true", token: null, CcpUnderTest.Body(call.IsStream, call.Model, call.Marker, maxTokens: 64));
        var token = Parties.TokenOf(call.Form);
        (string Name, string Value)[] credentials = call.Form switch
        {
            ClientForm.ApiKey => [("x-api-key", token)],
            ClientForm.AuthToken => [("x-auth-token", token)],
            ClientForm.CcpToken => [("x-ccp-token", token), ("authorization", $"Bearer {Parties.Login}")],
            ClientForm.Two => [("authorization", $"Bearer {token}"), ("x-api-key", $"sk-ant-{Parties.ClientCanary}")],
            _ => [("authorization", $"Bearer {token}")],
        };
        foreach (var (name, value) in credentials.Concat(Parties.ForEveryLane).Concat(Parties.ForAnthropic).Concat(Parties.ForHouse).Concat(Parties.ForNobody))
        {
            Assert.True(request.Headers.TryAddWithoutValidation(name, value), name);
        }

        return request;
    }

    private static Script Answer(string lane, RecordedRequest request, bool takesApiKey)
    {
        var (wanted, trouble, answer) = IsolationCase.Read(request.BodyText);
        var status = IsolationCase.StatusOf(lane, wanted, trouble, answer, request.Header("x-api-key") is not null, takesApiKey);

        // What repeats the key it was sent must not be passed on.
        var key = request.Header("x-api-key") ?? request.Header("authorization");
        (string, string)[] headers = [.. Parties.FromUpstream($"{status}"), ("x-echo", key!)];
        if (status != 200)
        {
            return Answers.Error(status, "invalid_request_error", status == 401 ? $"invalid key: {key}" : "what is wrong", headers);
        }

        var isStream = request.BodyText.Contains("\"stream\":true", StringComparison.Ordinal);
        var model = request.Json().GetProperty("model").GetString()!;
        (string, string)[] typed = [("content-type", isStream ? "text/event-stream" : "application/json"), .. headers];
        return answer == FinalAnswer.Cut ? Script.Head(200, typed).Send(SseEvents.MessageStart(model, Small)).Cut()
            : isStream ? Script.Head(200, typed).Send(SseEvents.MessageStart(model, Small)).Send(SseEvents.TextStart()).Send(SseEvents.TextDelta("hi")).Send(SseEvents.BlockStop()).Send(SseEvents.MessageDelta(Small)).Send(SseEvents.MessageStop)
            : Answers.Message(model, "hi", Small, headers);
    }

    private static async Task<byte[]> ReadAsync(HttpResponseMessage answer)
    {
        using var body = new MemoryStream();
        await answer.Content.CopyToAsync(body);
        return body.ToArray();
    }

    private static byte[] Bytes(string text) => Encoding.Latin1.GetBytes(text);
}
