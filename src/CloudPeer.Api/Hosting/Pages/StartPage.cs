using CloudPeer.Api.Hosting.Settings;
using Tlfs.Core.Crypto;

namespace CloudPeer.Api.Hosting.Pages;

/// <summary>The page at <c>/</c>: what this is, who the server is, and what to type next.</summary>
internal sealed class StartPage(ServerSettings settings, Listeners listeners, SigningKey server)
{
    public string Render(HttpRequest request)
    {
        var url = listeners.PublicHttpUrl(request);
        return PageText.Start(new Dictionary<string, string>(StringComparer.Ordinal)
        {
            ["name"] = settings.Name,
            ["peer"] = server.Public.ToString(),
            ["grpc"] = listeners.PublicGrpcUrl(request),
            ["command"] = $"dotnet run --project src/Tlfs.Cli -- cloudpeer add {url}",
            ["registration"] = settings.RegistrationOpen ? "New accounts are welcome." : "New accounts are not accepted; those that are here may go on.",
            ["version"] = ProductVersion.Text,
        });
    }
}
