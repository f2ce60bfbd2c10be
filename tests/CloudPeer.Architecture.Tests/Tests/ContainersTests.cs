using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class ContainersTests
{
    [Fact]
    public void The_compose_file_is_pinned_healthy_closed_and_without_secrets() =>
        Expect.None(Containers.ComposeFaults(Repository.Find("docker-compose.yml")));

    [Fact]
    public void The_image_is_pinned_unprivileged_and_says_how_it_is() => Expect.None(Containers.DockerfileFaults(Repository.Find("deploy/Dockerfile")));

    [Fact]
    public void The_example_of_settings_has_no_secret() => Expect.None(Containers.ExampleSecrets(Repository.Find(".env.example")));

    [Theory]
    [InlineData("image: postgres:latest", "postgres:latest is not pinned")]
    [InlineData("image: postgres", "postgres is not pinned")]
    [InlineData("image: postgres:17", "postgres:17 is not pinned")]
    [InlineData("image: 'a:${V:-latest}'", "is not pinned")]
    [InlineData("ports: ['5180:5180']", "open to the world")]
    [InlineData("environment: { POSTGRES_PASSWORD: hunter2 }", "POSTGRES_PASSWORD must be a variable")]
    [InlineData("environment: ['POSTGRES_PASSWORD=${POSTGRES_PASSWORD}']", "POSTGRES_PASSWORD must be a variable")]
    [InlineData("environment: { URL: 'a ${DB_PASSWORD:-hunter2} b' }", "URL has a default secret")]
    [InlineData("environment: { URL: 'postgres://me:hunter2@db/x' }", "holds a password")]
    public void A_fault_of_a_compose_file_is_found(string member, string message)
    {
        var rest = member.StartsWith("image", StringComparison.Ordinal) ? "healthcheck: {}" : "image: a:1.2\n    healthcheck: {}";

        Expect.One(Containers.ComposeFaults(new("docker-compose.yml", $"services:\n  a:\n    {member}\n    {rest}\n")), message);
    }

    [Fact]
    public void A_service_without_a_healthcheck_is_found() =>
        Expect.One(Containers.ComposeFaults(new("docker-compose.yml", "services:\n  a:\n    image: a:1.2\n")), "has no healthcheck");

    [Theory]
    [InlineData("FROM a:latest\nUSER 1654\nHEALTHCHECK CMD x", "a:latest is not pinned")]
    [InlineData("FROM a:1.2\nUSER 1654\nFROM b:1.2\nHEALTHCHECK CMD x", "runs as root")]
    [InlineData("FROM a:1.2\nUSER root\nHEALTHCHECK CMD x", "runs as root")]
    [InlineData("FROM a:1.2\nUSER 1654", "no HEALTHCHECK")]
    public void A_fault_of_an_image_is_found(string dockerfile, string message) => Expect.One(Containers.DockerfileFaults(new("Dockerfile", dockerfile)), message);

    [Fact]
    public void A_secret_in_an_example_is_found() => Expect.One(Containers.ExampleSecrets(new(".env.example", "#DB_PASSWORD=changeme")), "has a value");
}
