using System.Text.Json;
using System.Text.Json.Serialization;
using Tlfs.Core;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Client;

/// <summary>What a server says of itself before there is a session. Nothing of it is proven until a session is open.</summary>
/// <param name="Server">The id it claims.</param>
/// <param name="Name">Its name, to show.</param>
/// <param name="GrpcUrl">Where its services are.</param>
/// <param name="RegistrationOpen">Whether it takes new accounts.</param>
public sealed record ServerInfo(PeerId Server, string Name, string GrpcUrl, bool RegistrationOpen)
{
    /// <summary>The protocol version that this software speaks.</summary>
    public const int Protocol = 1;

    private const string Path = "/.well-known/cloudpeer";
    private const int MaxBytes = 64 << 10;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Asks a server at its address; takes at most 5 s.</summary>
    /// <param name="url">The address, as <see cref="ServerUrl.Parse"/> gives it.</param>
    /// <param name="allowInsecure">Allows the server's services to be at http on another machine.</param>
    /// <param name="cancellationToken">Cancels.</param>
    /// <exception cref="TlfsException"><c>unreachable</c>, <c>not-a-cloudpeer</c>, <c>insecure-url</c>, <c>unsupported</c>.</exception>
    public static async Task<ServerInfo> DiscoverAsync(string url, bool allowInsecure, CancellationToken cancellationToken)
    {
        using var handler = new SocketsHttpHandler { AllowAutoRedirect = false };
        using var client = new HttpClient(handler) { Timeout = Limit, MaxResponseContentBufferSize = MaxBytes };
        try
        {
            using var response = await client.GetAsync(new Uri(url + Path), cancellationToken).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode) throw NotACloudpeer(url);
            var json = await response.Content.ReadAsByteArrayAsync(cancellationToken).ConfigureAwait(false);
            return Read(JsonSerializer.Deserialize(json, WellKnownServerJson.Default.WellKnownServer), url, allowInsecure);
        }
        catch (HttpRequestException e) when (e.HttpRequestError is HttpRequestError.ConfigurationLimitExceeded or HttpRequestError.InvalidResponse)
        {
            throw NotACloudpeer(url, e);
        }
        catch (HttpRequestException e)
        {
            throw new TlfsException(Reason.Unreachable, $"{url} cannot be reached; check the address and that the server runs", e);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new TlfsException(Reason.Unreachable, $"{url} does not answer within {Limit.TotalSeconds:0} s", e);
        }
        catch (JsonException e)
        {
            throw NotACloudpeer(url, e);
        }
    }

    private static ServerInfo Read(WellKnownServer? said, string url, bool allowInsecure)
    {
        if (said is null || !Id.TryParse<PeerId>(said.Server, out var server) || said.GrpcUrl is null || said.Protocol is null) throw NotACloudpeer(url);
        if (said.Protocol.Min > Protocol || said.Protocol.Max < Protocol)
            throw new TlfsException(Reason.Unsupported, $"{url} speaks protocol {said.Protocol.Min} to {said.Protocol.Max}, this software {Protocol}; update the older one");
        return new(server, said.Name ?? string.Empty, ServerUrl.Parse(said.GrpcUrl, allowInsecure), said.Registration is "open");
    }

    private static TlfsException NotACloudpeer(string url, Exception? inner = null)
    {
        var message = $"{url} answers, but not as a cloudpeer; use the address of the server's pages";
        return inner is null ? new(Reason.NotACloudpeer, message) : new(Reason.NotACloudpeer, message, inner);
    }
}

internal sealed record WellKnownServer(string? Server, string? Name, string? GrpcUrl, string? Registration, WellKnownProtocol? Protocol);

internal sealed record WellKnownProtocol(int Min, int Max);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(WellKnownServer))]
internal sealed partial class WellKnownServerJson : JsonSerializerContext;
