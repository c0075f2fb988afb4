using Ccp.Forwarding;
using Ccp.Tests.Configuration;

namespace Ccp.Tests.Forwarding;

public sealed class UpstreamClientsTests
{
    /// <summary>The client library keeps its own time, which no test can hold: this looks at what it is told.</summary>
    [Fact]
    public void A_connection_that_died_without_a_word_is_noticed_long_before_the_calls_on_it_time_out()
    {
        Assert.All(Configured.Good("").Lanes, lane =>
        {
            using var handler = UpstreamClients.HandlerFor(lane, proxy: null, TrustedRoots.Find(null, null, null));

            Assert.InRange(handler.KeepAlivePingDelay, TimeSpan.FromSeconds(15), TimeSpan.FromSeconds(30));
            Assert.InRange(handler.KeepAlivePingTimeout, TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(10));
            Assert.Equal(HttpKeepAlivePingPolicy.WithActiveRequests, handler.KeepAlivePingPolicy);
        });
    }
}
