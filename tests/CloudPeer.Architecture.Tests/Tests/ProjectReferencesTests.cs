using CloudPeer.Architecture.Tests.Rules;
using CloudPeer.Architecture.Tests.Sources;
using Xunit;

namespace CloudPeer.Architecture.Tests;

public sealed class ProjectReferencesTests
{
    [Fact]
    public void Projects_reference_each_other_only_along_the_arrows() => Expect.None(ProjectReferences.ForbiddenArrows(Repository.Projects));

    [Fact]
    public void Projects_use_only_the_packages_they_may() => Expect.None(ProjectReferences.ForbiddenPackages(Repository.Projects));

    [Fact]
    public void The_solution_has_every_project() => Expect.None(ProjectReferences.OutsideSolution(Repository.Find("CloudPeer.sln"), Repository.Projects));

    [Fact]
    public void Every_project_is_locked_to_its_packages() =>
        Expect.None(ProjectReferences.Unlocked(Repository.Projects, path => File.Exists(Path.Combine(Repository.Root, path))));

    [Theory]
    [InlineData("src/Tlfs.Core/Tlfs.Core.csproj", "../CloudPeer.Sync/CloudPeer.Sync.csproj", "Tlfs.Core must not reference CloudPeer.Sync")]
    [InlineData("src/Tlfs.Client/Tlfs.Client.csproj", "../CloudPeer.Api/CloudPeer.Api.csproj", "Tlfs.Client must not reference CloudPeer.Api")]
    [InlineData("samples/Todo/Todo.csproj", "..\\..\\src\\CloudPeer.Sync\\CloudPeer.Sync.csproj", "Todo must not reference CloudPeer.Sync")]
    public void A_forbidden_arrow_is_found(string path, string reference, string message) =>
        Expect.One(ProjectReferences.ForbiddenArrows([Project(path, $"<ProjectReference Include=\"{reference}\" />")]), message);

    [Fact]
    public void A_project_that_nobody_placed_is_found() =>
        Expect.One(ProjectReferences.ForbiddenArrows([Project("src/Tlfs.New/Tlfs.New.csproj", "")]), "has no place");

    [Fact]
    public void A_forbidden_package_is_found() =>
        Expect.One(ProjectReferences.ForbiddenPackages([Project("src/Tlfs.Core/Tlfs.Core.csproj", "<PackageReference Include=\"Google.Protobuf\" />")]), "Google.Protobuf");

    [Fact]
    public void A_project_outside_the_solution_is_found() =>
        Expect.One(ProjectReferences.OutsideSolution(new("CloudPeer.sln", "\"src\\A\\A.csproj\""), [Project("src/A/A.csproj", ""), Project("bench/B/B.csproj", "")]), "bench/B/B.csproj");

    [Fact]
    public void A_project_without_a_lock_file_is_found() =>
        Expect.One(ProjectReferences.Unlocked([Project("src/A/A.csproj", "")], _ => false), "src/A/packages.lock.json");

    private static SourceText Project(string path, string item) =>
        new(path, $"<Project Sdk=\"Microsoft.NET.Sdk\"><ItemGroup>{item}</ItemGroup></Project>");
}
