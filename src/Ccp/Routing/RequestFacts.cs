using Ccp.Pricing;

namespace Ccp.Routing;

/// <summary>The little that ccp reads of a request's body. Everything else passes unread.</summary>
/// <param name="MaxTokens">Null when the request does not say.</param>
/// <param name="EstimatedPromptTokens">From the size of the body; the provider's own count decides the charge.</param>
/// <param name="SessionId">From <c>metadata.user_id</c>; null when it is not there.</param>
/// <param name="HasSafeguards">True when the request asks for a safety check that not every provider does.</param>
/// <param name="Asked">What it says of where and how fast it wants to be served, as far as that has a price.</param>
internal sealed record RequestFacts(string Model, bool IsStream, long? MaxTokens, long EstimatedPromptTokens, string? SessionId, bool HasSafeguards = false, PriceTerms Asked = default);
