using System.Net;
using System.Text.Json;
using CloudPeer.Api.Hosting.Settings;
using Tlfs.Core;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer healthcheck</c>: for container images without any other HTTP client.</summary>
internal static class HealthCommand
{
    private static readonly TimeSpan Timeout = TimeSpan.FromSeconds(5);

    public static async Task<int> RunAsync(TextWriter output, bool json, CancellationToken cancellationToken)
    {
        var settings = CommandSettings.Load();
        if (settings.HttpPort == 0)
            throw new TlfsException(Reason.BadArgument, $"{SettingCatalog.HttpPort.Variable} is 0, so the server's port is not known");
        var url = Url(settings);
        using var client = new HttpClient { Timeout = Timeout };
        try
        {
            using var response = await client.GetAsync(url, cancellationToken);
            if (!response.IsSuccessStatusCode) throw new TlfsException(Reason.Unavailable, $"{url} answers {(int)response.StatusCode}: the server is not ready");
            await output.WriteLineAsync((json ? JsonSerializer.Serialize(new { ready = true, url }) : $"{url} is ready").AsMemory(), cancellationToken);
            return 0;
        }
        catch (Exception e) when (e is HttpRequestException or TaskCanceledException && !cancellationToken.IsCancellationRequested)
        {
            throw new TlfsException(Reason.Unreachable, $"{url} does not answer", e);
        }
    }

    private static Uri Url(ServerSettings settings)
    {
        var host = settings.Bind is null || settings.IsAnyAddress ? "localhost" : settings.Bind.ToString();
        return new UriBuilder(Uri.UriSchemeHttp, IPAddress.TryParse(host, out _) && host.Contains(':', StringComparison.Ordinal) ? $"[{host}]" : host, settings.HttpPort, "/health/ready").Uri;
    }
}
