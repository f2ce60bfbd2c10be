using System.Text.Json;

namespace CloudPeer.Api.Hosting.Commands;

/// <summary><c>cloudpeer version</c>.</summary>
internal static class VersionCommand
{
    public static void Run(TextWriter output, bool json) => output.WriteLine(json
        ? JsonSerializer.Serialize(new { version = ProductVersion.Text, protocolMin = ProductVersion.Protocol, protocolMax = ProductVersion.Protocol })
        : $"cloudpeer {ProductVersion.Text}, protocol {ProductVersion.Protocol}");
}
